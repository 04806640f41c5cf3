import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { Template } from "#formats/go-template/template.ts";
import { GO_TYPE } from "#formats/go-template/values.ts";
import { formatPlatform } from "#formats/platform.ts";
import { formatReference, parseReference, type Reference, tagNameOnly } from "#formats/reference.ts";
import { alignTabs } from "#formats/tabwriter.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import { builderFlag } from "../../build/builder-flag.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, stringFlag } from "../../grammar/flag.ts";
import { goJson } from "../../manifest/go-documents.ts";
import { hide, withGoNames } from "../../manifest/go-names.ts";
import { readDocument } from "../../manifest/listed-manifest.ts";
import { RemoteImage } from "../../manifest/remote-image.ts";

/** https://github.com/docker/buildx/blob/master/util/imagetools/printers.go */
export const command: Command = defineCommand({
  usage: "[OPTIONS] NAME",
  about: "Show details of an image in the registry",
  arguments: exactly(1),
  flags: {
    ...builderFlag,
    format: stringFlag("Format the output using the given Go template", { initial: "{{.Manifest}}" }),
    raw: booleanFlag("Show original, unformatted JSON manifest"),
  },
  async run({ flags, args: [name = ""] }, context) {
    const format = flags.format === "" ? "{{.Manifest}}" : flags.format;
    if (flags.raw && format !== "{{.Manifest}}")
      throw new InvalidParameterError("ERROR: format and raw cannot be used together");
    const image = await RemoteImage.find(context, parseName(name));
    const { stdout } = context.streams;
    if (flags.raw) await stdout.write(Buffer.from(image.document.raw, "base64"));
    else if (format === "{{.Manifest}}") await stdout.write(plainText(image));
    else await stdout.write(await formatted(image, name, format));
    return 0;
  },
});

function parseName(name: string): Reference {
  try {
    return tagNameOnly(parseReference(name));
  } catch (cause) {
    throw new InvalidParameterError(`ERROR: ${errorMessage(cause)}`, { cause });
  }
}

/** Go's tabwriter with one space between columns. */
const TABS = { minWidth: 0, padding: 1 };

function plainText({ reference, document, isIndex }: RemoteImage): string {
  const { mediaType, digest } = document.descriptor;
  const head = `Name:\t${formatReference(reference)}\nMediaType:\t${mediaType}\nDigest:\t${digest}\n`;
  if (!isIndex) return alignTabs(head, TABS);
  const { digest: _, ...bare } = reference;
  const entries = readDocument(document).manifests.map((entry, at) => manifestText(formatReference(bare), entry, at));
  return `${alignTabs(`${head}\t\n`, TABS)}Manifests: \n${entries.join("")}`;
}

function manifestText(name: string, entry: Descriptor, at: number): string {
  const { digest, mediaType, platform, urls = [], annotations = {} } = entry;
  const notes = Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = [
    ...(at > 0 ? ["\t"] : []),
    `  Name:\t${name}@${digest}`,
    `  MediaType:\t${mediaType}`,
    ...(platform ? [`  Platform:\t${formatPlatform(platform)}`] : []),
    ...(platform?.["os.version"] ? [`  OSVersion:\t${platform["os.version"]}`] : []),
    ...(urls.length > 0 ? [`  URLs:\t[${urls.map((url) => JSON.stringify(url)).join(" ")}]`] : []),
    ...(notes.length > 0 ? ["  Annotations:\t"] : []),
  ];
  const noteLines = notes.map(([key, value]) => `    ${key}:\t${value}`);
  return [lines, noteLines].map((part) => alignTabs(part.map((line) => `${line}\n`).join(""), TABS)).join("");
}

/** `.Name` as it was given, `.Manifest`, `.Image`, `.Provenance` and `.SBOM`; what a template does not name is not fetched. */
async function formatted(image: RemoteImage, name: string, format: string): Promise<string> {
  const template = parseTemplate(format);
  const wants = (field: string): boolean => new RegExp(`\\.${field}\\b`).test(format);
  const isWhole = /json\s+\.\s*(}}|\)|\|)/.test(format);
  const manifest = image.manifest();
  const configs = isWhole || wants("Image") ? await image.configs() : {};
  const data = withGoNames({ name, manifest, image: configs });
  hide(data, GO_TYPE, image.isSeveral ? "imagetools.tplInputs" : "imagetools.tplInput");
  hide(data, "Provenance", wants("Provenance") ? await image.provenance() : {});
  hide(data, "SBOM", wants("SBOM") ? await image.sboms() : {});
  try {
    return template.execute(data, { functions: { json: goJson } });
  } catch (cause) {
    throw new InvalidParameterError(`ERROR: ${errorMessage(cause)}`, { cause });
  }
}

function parseTemplate(format: string): Template {
  try {
    return new Template(format, { missingKeyIsError: true });
  } catch (cause) {
    throw new InvalidParameterError(`ERROR: ${errorMessage(cause)}`, { cause });
  }
}
