import { fetchBlob } from "#client/registry-documents.ts";
import { toJson } from "#formats/go-template/functions.ts";
import { Template } from "#formats/go-template/template.ts";
import { formatPlatform } from "#formats/platform.ts";
import { formatReference, parseReference, type Reference, tagNameOnly } from "#formats/reference.ts";
import type { RegistryDocument } from "#spec/berth-api.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import { builderFlag } from "../build/builder-flag.ts";
import { exactly } from "../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand } from "../grammar/command.ts";
import { booleanFlag, stringFlag } from "../grammar/flag.ts";
import { askRegistry, isIndex, type RemoteDocument, readDocument } from "../manifest/listed-manifest.ts";

/** https://github.com/docker/buildx/blob/master/util/imagetools/printers.go */
export const command: Command = defineCommand({
  usage: "[OPTIONS] NAME",
  about: "Show details of an image in the registry",
  arguments: exactly(1),
  flags: {
    ...builderFlag,
    format: stringFlag("Format the output using the given Go template"),
    raw: booleanFlag("Show original, unformatted JSON manifest"),
  },
  async run({ flags, args: [name = ""] }, context) {
    const reference = tagNameOnly(parseReference(name));
    const { document } = await askRegistry(context, reference, false);
    const { stdout } = context.streams;
    if (flags.raw) await stdout.write(Buffer.from(document.raw, "base64"));
    else if (flags.format === "") await stdout.write(plainText(reference, document));
    else await stdout.write(await formatted(context, reference, document, flags.format));
    return 0;
  },
});

function plainText(reference: Reference, { descriptor, raw }: RegistryDocument): string {
  const name = formatReference(reference);
  const head = aligned(`Name:\t${name}\nMediaType:\t${descriptor.mediaType}\nDigest:\t${descriptor.digest}\n\t\n`);
  if (!isIndex(descriptor)) return head;
  const { manifests } = readDocument({ descriptor, raw });
  const { digest: _, ...bare } = reference;
  return `${head}Manifests: \n${manifests.map((entry) => manifestText(formatReference(bare), entry)).join("")}`;
}

function manifestText(name: string, { digest, mediaType, platform, annotations }: Descriptor): string {
  const lines = [
    `  Name:\t${name}@${digest}`,
    `  MediaType:\t${mediaType}`,
    ...(platform ? [`  Platform:\t${formatPlatform(platform)}`] : []),
    ...(annotations ? ["  Annotations:\t"] : ["  \t"]),
  ];
  const notes = Object.entries(annotations ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const noteLines = annotations ? [...notes.map(([key, value]) => `    ${key}:\t${value}`), "    \t"] : [];
  return aligned(`${lines.join("\n")}\n`) + aligned(noteLines.map((line) => `${line}\n`).join(""));
}

/** Two columns with one space between: the list's own tables have three. */
function aligned(text: string): string {
  const rows = text.split("\n").map((line) => line.split("\t"));
  const width = Math.max(...rows.map(([first = "", second]) => (second === undefined ? 0 : first.length))) + 1;
  return rows.map(([first = "", second]) => (second === undefined ? first : first.padEnd(width) + second)).join("\n");
}

/** `.Name`, `.Manifest` and `.Image`; the configs are fetched only when the template wants them. */
async function formatted(
  context: CommandContext,
  reference: Reference,
  document: RegistryDocument,
  format: string,
): Promise<string> {
  const template = new Template(format, { missingKeyIsError: true });
  const content = readDocument(document);
  const { mediaType, digest, size } = document.descriptor;
  const parts = isIndex(document.descriptor) ? { schemaVersion: 2, manifests: content.manifests } : {};
  const manifest = {
    ...parts,
    mediaType,
    digest,
    size,
    ...(content.annotations ? { annotations: content.annotations } : {}),
  };
  const image = /\.Image\b/.test(format) ? await imageConfigs(context, reference, document, content) : undefined;
  const data = { Name: formatReference(reference), Manifest: withGoNames(manifest), Image: withGoNames(image ?? {}) };
  return `${template.execute(data, { functions: { json: toJson } })}\n`;
}

/** Go's names of the fields beside JSON's: templates say `.Manifest.Digest`, and `json` prints `digest`. */
function withGoNames(value: object): object {
  const named = Object.entries(value).map(([key, part]) => [
    `${key.charAt(0).toUpperCase()}${key.slice(1)}`,
    { value: part },
  ]);
  return Object.defineProperties({ ...value }, Object.fromEntries(named.filter(([key]) => !(String(key) in value))));
}

/** The config, or one for each platform of an index. */
async function imageConfigs(
  context: CommandContext,
  reference: Reference,
  document: RegistryDocument,
  { config, manifests }: RemoteDocument,
): Promise<object> {
  if (config) return fetchConfig(context, reference, config);
  const found: Record<string, object> = {};
  for (const { digest, platform } of isIndex(document.descriptor) ? manifests : []) {
    if (!platform || platform.os === "unknown") continue;
    const inner = await askRegistry(context, { ...reference, digest }, false);
    const read = readDocument(inner.document);
    if (read.config) found[formatPlatform(platform)] = await fetchConfig(context, reference, read.config);
  }
  return found;
}

async function fetchConfig(context: CommandContext, reference: Reference, config: Descriptor): Promise<object> {
  const { access } = await askRegistry(context, reference, false);
  const bytes = await fetchBlob(context.engine, formatReference(reference), config, access);
  return Object(JSON.parse(bytes.toString("utf8")));
}
