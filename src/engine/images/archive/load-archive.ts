import type { ImageContext } from "#engine/images/image-context.ts";
import { LayerProgress } from "#engine/images/layer-progress.ts";
import type { ProgressListener } from "#engine/images/progress.ts";
import { type BerthError, CancelledError, DataLossError, InvalidParameterError } from "#errors/errors.ts";
import { Digester, isDigest } from "#formats/digest.ts";
import type { TarEntry } from "#formats/tar/tar-entry.ts";
import { readTar } from "#formats/tar/tar-reader.ts";
import type { Digest } from "#spec/digest.ts";

/** JSON files of an archive are kept in memory: so large each, and all together, bytes. */
const MAX_DOCUMENT = 8 * 1024 * 1024;
const MAX_DOCUMENTS = 64 * 1024 * 1024;
const BLOB_PATH = /^blobs\/sha256\/([0-9a-f]{64})$/;

/** What an archive held. Paths are relative, without `.` and `..`; a leading `/` is the archive's root. */
export interface ImageArchive {
  /** JSON files. */
  readonly documents: ReadonlyMap<string, Uint8Array>;
  /** Layers by the path of their file: ingested, or why they could not be. */
  readonly layers: ReadonlyMap<string, Digest | BerthError>;
  /** Links inside the archive: older Docker writes a layer that two images share once. */
  readonly links: ReadonlyMap<string, string>;
}

/**
 * Reads an archive to its end. What a file is shows in its first bytes, since the index files come last in most archives: JSON is
 * kept, anything else is taken for a layer. Names that lead out of the archive are ignored: nothing is ever written under a name.
 */
export async function readArchive(
  context: ImageContext,
  source: AsyncIterable<Uint8Array>,
  report: ProgressListener,
  signal: AbortSignal | undefined,
): Promise<ImageArchive> {
  const documents = new Map<string, Uint8Array>();
  const layers = new Map<string, Digest | BerthError>();
  const links = new Map<string, string>();
  let kept = 0;
  for await (const { entry, body } of readTar(context.inflate(source, signal ? { signal } : {}))) {
    signal?.throwIfAborted();
    const path = insidePath(entry.path);
    if (path === undefined) continue;
    const target = linkTarget(entry, path);
    if (target !== undefined) links.set(path, target);
    if (entry.type !== "file" || entry.size === 0) continue;
    const { first, rest } = await peek(body);
    if (looksLikeJson(first) && entry.size <= MAX_DOCUMENT) {
      kept += entry.size;
      if (kept > MAX_DOCUMENTS) throw new InvalidParameterError("invalid archive: more than 64 MiB of JSON");
      documents.set(path, await readDocument(path, rest));
    } else if (!path.endsWith("/VERSION") && path !== "VERSION") {
      const progress = new LayerProgress(report, layerLabel(path), entry.size);
      layers.set(path, await ingestLayer(context, path, rest, progress, signal));
    }
  }
  return { documents, layers, links };
}

async function readDocument(path: string, body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of checked(path, body)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** An archive may hold files that are neither: they matter only if an image names them. */
async function ingestLayer(
  context: ImageContext,
  path: string,
  body: AsyncIterable<Uint8Array>,
  progress: LayerProgress,
  signal: AbortSignal | undefined,
): Promise<Digest | BerthError> {
  const known = blobDigest(path);
  if (known && context.layers.layer(known)) return known;
  try {
    const { diffId } = await context.layers.ingest(checked(path, body), {
      onProgress: (bytes) => progress.move("Loading layer", bytes),
      ...(signal ? { signal } : {}),
    });
    return diffId;
  } catch (error) {
    const isItsFault = error instanceof DataLossError || error instanceof InvalidParameterError;
    if (!isItsFault || error instanceof CancelledError) throw error;
    return error;
  }
}

/** Passes a file's bytes on, and fails at its end when its name is a digest that they have not. */
async function* checked(path: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const expected = blobDigest(path);
  const digester = new Digester();
  for await (const chunk of body) {
    if (expected) digester.update(chunk);
    yield chunk;
  }
  const actual = expected ? digester.digest() : undefined;
  if (actual !== expected) throw new DataLossError(`invalid archive: ${path} has content with digest ${actual}`);
}

function blobDigest(path: string): Digest | undefined {
  const digest = `sha256:${BLOB_PATH.exec(path)?.[1] ?? ""}`;
  return isDigest(digest) ? digest : undefined;
}

async function peek(
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly first: Uint8Array; readonly rest: AsyncIterable<Uint8Array> }> {
  const iterator = body[Symbol.asyncIterator]();
  const head = await iterator.next();
  const first = head.done ? new Uint8Array() : head.value;
  const rest = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    yield first;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  };
  return { first, rest: rest() };
}

function looksLikeJson(bytes: Uint8Array): boolean {
  return /^\s*[[{]/.test(new TextDecoder("latin1").decode(bytes.subarray(0, 64)));
}

/** A path below the archive's root, or undefined when it leads elsewhere. */
function insidePath(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.length === 0 ? undefined : parts.join("/");
}

function linkTarget(entry: TarEntry, path: string): string | undefined {
  if (entry.type === "hardlink") return insidePath(entry.linkPath);
  if (entry.type !== "symlink" || entry.linkPath.startsWith("/")) return undefined;
  return insidePath(`${path.split("/").slice(0, -1).join("/")}/${entry.linkPath}`.replace(/^\//, ""));
}

function layerLabel(path: string): string {
  return (BLOB_PATH.exec(path)?.[1] ?? path.replace(/\/layer\.tar$/, "")).slice(0, 12);
}
