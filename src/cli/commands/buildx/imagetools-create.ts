import { publishDocument } from "#client/registry-documents.ts";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import { formatPlatform, normalizePlatform, parsePlatform } from "#formats/platform.ts";
import { formatReference, parseReference, type Reference, repositoryName, tagNameOnly } from "#formats/reference.ts";
import { type Descriptor, MEDIA_TYPE } from "#spec/oci-image.ts";
import { builderFlag } from "../../build/builder-flag.ts";
import { createProgress } from "../../build-progress/progress.ts";
import { registryAuthHeader } from "../../config/registry-auth.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, listFlag, stringFlag } from "../../grammar/flag.ts";
import { goDescriptor, goJson } from "../../manifest/go-documents.ts";
import { type ImageSource, readSources, sourceFile } from "../../manifest/image-sources.ts";
import { isIndex } from "../../manifest/listed-manifest.ts";

/** https://github.com/docker/buildx/blob/master/commands/imagetools/create.go */
export const command: Command = defineCommand({
  usage: "[OPTIONS] [SOURCE] [SOURCE...]",
  about: "Create a new image based on source images",
  arguments: atLeast(0),
  flags: {
    ...builderFlag,
    annotation: listFlag("Add annotation to the image", { type: "stringArray" }),
    append: booleanFlag("Append to existing manifest"),
    "dry-run": booleanFlag("Show final image instead of pushing"),
    file: listFlag("Read source descriptor from file", { short: "f", type: "stringArray" }),
    progress: stringFlag('Set type of progress output ("auto", "plain", "tty"). Use plain to show container output', {
      initial: "auto",
    }),
    tag: listFlag("Set reference for new image", { short: "t", type: "stringArray" }),
  },
  async run({ flags, args }, context) {
    const targets = flags.tag.map(parseTarget);
    const [first] = targets;
    if (!first && !flags["dry-run"])
      throw new InvalidParameterError("ERROR: can't push with no tags specified, please set --tag or --dry-run");
    const texts = [...args];
    for (const path of flags.file) texts.push(...(await sourceFile(path)));
    if (flags.append && first) texts.unshift(formatReference(first));
    if (texts.length === 0) throw new InvalidParameterError("ERROR: no sources specified");
    const annotations = flags.annotation.map(parseAnnotation);
    const sources = await readSources(context, texts, targets);
    const made = combine(sources, annotations);
    if (flags["dry-run"]) {
      await context.streams.stdout.write(`${made.text}\n`);
      return 0;
    }
    await publishAll(context, targets, { sources, made, progress: flags.progress });
    return 0;
  },
});

function parseTarget(tag: string): Reference {
  try {
    return tagNameOnly(parseReference(tag));
  } catch (cause) {
    throw new InvalidParameterError(`ERROR: ${errorMessage(cause)}`, { cause });
  }
}

interface MadeDocument {
  readonly mediaType: string;
  readonly text: string;
}

interface Annotation {
  readonly on: "index" | "manifest-descriptor";
  /** `os/arch[/variant]`; undefined for all. */
  readonly platform: string | undefined;
  readonly key: string;
  readonly value: string;
}

/** One index with nothing added stays as it is, byte for byte; else an index of all images, each once. */
function combine(sources: readonly ImageSource[], annotations: readonly Annotation[]): MadeDocument {
  const [only] = sources;
  if (only && sources.length === 1 && annotations.length === 0 && isIndex(only.document.descriptor)) {
    const { raw, descriptor } = only.document;
    return { mediaType: descriptor.mediaType, text: Buffer.from(raw, "base64").toString("utf8") };
  }
  const entries = new Map<string, Descriptor>();
  for (const entry of sources.flatMap((source) => source.entries)) {
    const known = entries.get(entry.digest);
    entries.set(entry.digest, known ? merged(known, entry) : entry);
  }
  const notes = noted(annotations.filter(({ on }) => on === "index"));
  // Docker's list for Docker's manifests alone; it has no place for annotations.
  const isDocker = [...entries.values()].every(({ mediaType }) => mediaType.startsWith("application/vnd.docker."));
  const document = {
    schemaVersion: 2,
    mediaType: isDocker && annotations.length === 0 ? MEDIA_TYPE.dockerIndex : MEDIA_TYPE.ociIndex,
    manifests: [...entries.values()].map((entry) => annotated(entry, annotations)),
    ...(Object.keys(notes).length > 0 ? { annotations: notes } : {}),
  };
  return { mediaType: document.mediaType, text: goJson(document) };
}

/** The same manifest twice: what either says of it. */
function merged(one: Descriptor, other: Descriptor): Descriptor {
  const platform = one.platform ?? other.platform;
  return {
    ...one,
    annotations: { ...one.annotations, ...other.annotations },
    ...(platform ? { platform } : {}),
  };
}

function annotated(entry: Descriptor, annotations: readonly Annotation[]): Descriptor {
  const platform = entry.platform ? formatPlatform(normalizePlatform(entry.platform)) : undefined;
  const own = annotations.filter(
    (note) => note.on === "manifest-descriptor" && (note.platform === undefined || note.platform === platform),
  );
  return goDescriptor({ ...entry, annotations: { ...entry.annotations, ...noted(own) } });
}

function noted(annotations: readonly Annotation[]): Readonly<Record<string, string>> {
  const pairs = annotations.map(({ key, value }) => [key, value] as const);
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const TYPES = ["", "index", "index-descriptor", "manifest", "manifest-descriptor"];

/** `index:key=value`, `manifest-descriptor[linux/amd64]:key=value`. Throws InvalidParameterError in buildx's words. */
function parseAnnotation(text: string): Annotation {
  const [, type = "", platform, key = "", value = ""] =
    /^(?:([a-z-]+)(?:\[([^\]]+)\])?:)?([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === "") throw new InvalidParameterError(`ERROR: invalid annotation "${text}", expected key=value`);
  if (!TYPES.includes(type)) throw new InvalidParameterError(`ERROR: unknown annotation type "${type}"`);
  if (type !== "index" && type !== "manifest-descriptor")
    throw new InvalidParameterError(`ERROR: "${type}" annotations are not supported yet`);
  const wanted = platform === undefined ? undefined : formatPlatform(parsePlatform(platform));
  return { on: type, platform: wanted, key, value };
}

interface Publication {
  readonly sources: readonly ImageSource[];
  readonly made: MadeDocument;
  readonly progress: string;
}

async function publishAll(
  context: CommandContext,
  targets: readonly Reference[],
  publication: Publication,
): Promise<void> {
  const progress = createProgress(publication.progress, context.streams.stderr, {
    size: () => context.streams.terminalSize(),
    environment: context.environment,
  });
  try {
    for (const target of targets) {
      const name = `[internal] pushing ${formatReference(target)}`;
      const vertex = { digest: digestOf(name), name, started: new Date().toISOString() };
      await progress.update({ vertexes: [vertex] });
      const digest = digestOf(Buffer.from(publication.made.text));
      const copied = publication.sources.filter(
        ({ reference }) => repositoryName(reference) !== repositoryName(target),
      );
      const lines = [
        ...copied.map(
          ({ document, reference }) => `copying ${document.descriptor.digest} from ${formatReference(reference)}`,
        ),
        `pushing ${digest}`,
      ];
      for (const line of lines) {
        const data = Buffer.from(`${line} to ${formatReference(target)}\n`).toString("base64");
        const log = { vertex: vertex.digest, stream: 1, data, timestamp: new Date().toISOString() } as const;
        await progress.update({ logs: [log] });
      }
      await publish(context, target, publication);
      await progress.update({ vertexes: [{ ...vertex, completed: new Date().toISOString() }] });
    }
  } finally {
    await progress.finish();
  }
}

async function publish(context: CommandContext, target: Reference, { sources, made }: Publication): Promise<void> {
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
    mediaType: made.mediaType,
    raw: Buffer.from(made.text).toString("base64"),
    insecure: false,
    sources: named,
  };
  await publishDocument(context.engine, request, auth);
}
