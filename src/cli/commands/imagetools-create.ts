import { publishDocument } from "#client/registry-documents.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { formatReference, parseReference, type Reference, repositoryName, tagNameOnly } from "#formats/reference.ts";
import { type Descriptor, MEDIA_TYPE } from "#spec/oci-image.ts";
import { builderFlag } from "../build/builder-flag.ts";
import { registryAuthHeader } from "../config/registry-auth.ts";
import { atLeast } from "../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand } from "../grammar/command.ts";
import { booleanFlag, listFlag } from "../grammar/flag.ts";
import { askRegistry, isIndex, platformOfManifest, readDocument } from "../manifest/listed-manifest.ts";

/** https://github.com/docker/buildx/blob/master/commands/imagetools/create.go */
export const command: Command = defineCommand({
  usage: "[OPTIONS] SOURCE [SOURCE...]",
  about: "Create a new image based on source images",
  arguments: atLeast(1),
  flags: {
    ...builderFlag,
    annotation: listFlag("Add annotation to the image", { type: "stringArray" }),
    append: booleanFlag("Append to existing manifest"),
    "dry-run": booleanFlag("Show final image instead of pushing"),
    tag: listFlag("Set reference for new image", { short: "t", type: "stringArray" }),
  },
  async run({ flags, args }, context) {
    const targets = flags.tag.map((tag) => tagNameOnly(parseReference(tag)));
    if (targets.length === 0 && !flags["dry-run"])
      throw new InvalidParameterError("can't push with no tags specified, please set --tag or --dry-run");
    if (flags.append && targets.length !== 1) throw new InvalidParameterError("--append needs exactly one --tag");
    const names = flags.append ? [...targets, ...args.map(parseReference)] : args.map(parseReference);
    const sources = [];
    for (const name of names) sources.push(await readSource(context, tagNameOnly(name)));
    const made = combine(sources, flags.annotation.map(parseAnnotation));
    if (flags["dry-run"]) {
      await context.streams.stdout.write(`${made.text}\n`);
      return 0;
    }
    for (const target of targets) await publish(context, target, sources, made);
    return 0;
  },
});

interface Source {
  readonly reference: Reference;
  readonly raw: string;
  readonly descriptor: Descriptor;
  /** Of the images in it, each with its platform. */
  readonly entries: readonly Descriptor[];
}

async function readSource(context: CommandContext, reference: Reference): Promise<Source> {
  const { document, access } = await askRegistry(context, reference, false);
  const { raw, descriptor } = document;
  if (isIndex(descriptor)) return { reference, raw, descriptor, entries: readDocument(document).manifests };
  const platform = await platformOfManifest(context, reference, document, access);
  return { reference, raw, descriptor, entries: [{ ...descriptor, ...(platform ? { platform } : {}) }] };
}

interface MadeDocument {
  readonly mediaType: string;
  readonly text: string;
}

interface Annotation {
  readonly on: "index" | "manifest-descriptor";
  readonly key: string;
  readonly value: string;
}

/** One source with nothing added stays as it is, byte for byte; else an index of all their images, each once. */
function combine(sources: readonly Source[], annotations: readonly Annotation[]): MadeDocument {
  const [only] = sources;
  if (only && sources.length === 1 && annotations.length === 0 && isIndex(only.descriptor)) {
    return { mediaType: only.descriptor.mediaType, text: Buffer.from(only.raw, "base64").toString("utf8") };
  }
  const notes = (on: Annotation["on"]): Record<string, string> =>
    Object.fromEntries(annotations.filter((note) => note.on === on).map(({ key, value }) => [key, value]));
  const added = notes("manifest-descriptor");
  const entries = new Map(sources.flatMap(({ entries }) => entries.map((entry) => [entry.digest, entry] as const)));
  const manifests = [...entries.values()].map(({ mediaType, digest, size, platform, annotations: own }) => {
    const all = { ...own, ...added };
    const noted = Object.keys(all).length > 0 ? { annotations: all } : {};
    return { mediaType, digest, size, ...noted, ...(platform ? { platform } : {}) };
  });
  const indexNotes = notes("index");
  const document = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociIndex,
    manifests,
    ...(Object.keys(indexNotes).length > 0 ? { annotations: indexNotes } : {}),
  };
  return { mediaType: document.mediaType, text: JSON.stringify(document, null, 2) };
}

/** `key=value`, `index:key=value`, `manifest-descriptor:key=value`. */
function parseAnnotation(text: string): Annotation {
  const equals = text.indexOf("=");
  if (equals < 0) throw new InvalidParameterError(`invalid annotation "${text}", expected key=value`);
  const [, type = "index", key = ""] = /^(?:([a-z-]+):)?(.+)$/.exec(text.slice(0, equals)) ?? [];
  const value = text.slice(equals + 1);
  if (type === "index" || type === "manifest-descriptor") return { on: type, key, value };
  throw new InvalidParameterError(
    `annotations of type "${type}" are not supported: expected index or manifest-descriptor`,
  );
}

async function publish(
  context: CommandContext,
  target: Reference,
  sources: readonly Source[],
  { mediaType, text }: MadeDocument,
): Promise<void> {
  const auth = await registryAuthHeader(target.domain, context);
  const named = [];
  for (const { reference, entries } of sources) {
    const sourceAuth = (await registryAuthHeader(reference.domain, context)) ?? "";
    named.push(
      ...entries.map(({ digest }) => ({ reference: `${repositoryName(reference)}@${digest}`, auth: sourceAuth })),
    );
  }
  const request = {
    reference: formatReference(target),
    mediaType,
    raw: Buffer.from(text).toString("base64"),
    insecure: false,
    sources: named,
  };
  const { descriptor } = await publishDocument(context.engine, request, auth);
  await context.streams.stderr.write(`pushed ${descriptor.digest} to ${formatReference(target)}\n`);
}
