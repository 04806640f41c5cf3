import { readFile } from "node:fs/promises";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { isDigest } from "#formats/digest.ts";
import { parseReference, type Reference, repositoryName, tagNameOnly } from "#formats/reference.ts";
import type { RegistryDocument } from "#spec/berth-api.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { CommandContext } from "../grammar/command.ts";
import { askRegistry, decodeDescriptor, isIndex, platformOfManifest, readDocument } from "./listed-manifest.ts";
import { findDocument } from "./remote-image.ts";

/** What `imagetools create` takes: a reference, a digest of the target's repository, or a descriptor as JSON. */
interface WrittenSource {
  readonly reference?: Reference;
  /** Of a descriptor: more than the registry tells. */
  readonly descriptor?: Pick<Descriptor, "digest" | "annotations" | "platform">;
}

/** An image or index to be part of a new index. */
export interface ImageSource {
  readonly reference: Reference;
  readonly document: RegistryDocument;
  /** Of the images in it, each with its platform. */
  readonly entries: readonly Descriptor[];
}

/**
 * Reads sources and fetches them. A digest or descriptor is looked for in the only repository that `targets` and the other sources name. Throws
 * InvalidParameterError, NotFoundError in buildx's words.
 */
export async function readSources(
  context: CommandContext,
  texts: readonly string[],
  targets: readonly Reference[],
): Promise<readonly ImageSource[]> {
  const written = texts.map(parseSource);
  const named = [...targets, ...written.flatMap(({ reference }) => reference ?? [])];
  const repositories = [...new Map(named.map((reference) => [repositoryName(reference), reference])).values()];
  if (repositories.length === 0) {
    throw new InvalidParameterError("ERROR: no repositories specified, please set a reference in tag or source");
  }
  const sources: ImageSource[] = [];
  for (const source of written) sources.push(await readSource(context, source, repositories));
  return sources;
}

/** `-f`: descriptors as JSON, one or a list. Throws InvalidParameterError, SystemError. */
export async function sourceFile(path: string): Promise<readonly string[]> {
  const content = (await readFile(path, "utf8")).trim();
  const parsed = content.startsWith("[") ? (JSON.parse(content) as readonly unknown[]) : undefined;
  return parsed ? parsed.map((descriptor) => JSON.stringify(descriptor)) : [content];
}

function parseSource(text: string): WrittenSource {
  try {
    if (text.startsWith("{")) return { descriptor: decodeDescriptor(JSON.parse(text), "") };
    if (isDigest(text)) return { descriptor: { digest: text } };
    return { reference: tagNameOnly(parseReference(text)) };
  } catch (cause) {
    const problem = `valid sources are digests, references and descriptors: ${errorMessage(cause)}`;
    throw new InvalidParameterError(`ERROR: failed to parse source ${JSON.stringify(text)}, ${problem}`, { cause });
  }
}

async function readSource(
  context: CommandContext,
  { reference: named, descriptor: given }: WrittenSource,
  repositories: readonly Reference[],
): Promise<ImageSource> {
  const reference = named ?? inRepository(given?.digest, repositories);
  const document = await findDocument(context, reference);
  const { descriptor } = document;
  if (isIndex(descriptor)) return { reference, document, entries: readDocument(document).manifests };
  const { access } = await askRegistry(context, reference, false);
  const platform = given?.platform ?? (await platformOfManifest(context, reference, document, access));
  const entry = {
    ...descriptor,
    ...(given?.annotations ? { annotations: given.annotations } : {}),
    ...(platform ? { platform } : {}),
  };
  return { reference, document, entries: [entry] };
}

function inRepository(digest: Descriptor["digest"] | undefined, repositories: readonly Reference[]): Reference {
  const [only] = repositories;
  if (repositories.length > 1 || !only || !digest) {
    throw new InvalidParameterError(
      `ERROR: multiple repositories specified, cannot infer repository for "${digest ?? ""}"`,
    );
  }
  const { domain, path } = only;
  return { domain, path, digest };
}
