import { type FileHandle, open } from "node:fs/promises";
import { BerthError, CancelledError, errorCode, errorMessage } from "#errors/errors.ts";
import { Digester } from "#formats/digest.ts";
import type { ErofsIndex, SparseCopy } from "#formats/erofs/erofs-index.ts";
import { firstPage, LayerIndexer, TAR_OFFSET } from "./layer-file.ts";
import type { Layer } from "./layer-store.ts";

const BATCH = 1024 * 1024;

/**
 * Reads a layer file whole and proves it: the tar has the digest in its name, and everything around the tar is what that tar yields.
 * Resolves with what is wrong, in words for `system check`, or undefined. Throws CancelledError on abort.
 */
export async function verifyLayerFile(layer: Layer, signal?: AbortSignal): Promise<string | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(layer.path, "r");
  } catch (error) {
    return errorCode(error) === "ENOENT" ? "its file is missing" : errorMessage(error);
  }
  try {
    return await problemOf(handle, layer, signal);
  } catch (error) {
    // A read error of the disk, or a tar that no longer parses: both are findings.
    if (error instanceof CancelledError || !(error instanceof BerthError || errorCode(error))) throw error;
    return errorMessage(error);
  } finally {
    await handle.close();
  }
}

async function problemOf(
  handle: FileHandle,
  layer: Layer,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const digester = new Digester();
  const indexer = new LayerIndexer();
  let problem: unknown;
  for await (const chunk of readRange(handle, TAR_OFFSET, layer.size, signal)) {
    digester.update(chunk);
    try {
      if (problem === undefined) indexer.push(chunk);
    } catch (error) {
      // A damaged tar may not parse; its digest is the finding to report.
      problem = error;
    }
  }
  if (digester.size !== layer.size) return `its file is ${layer.size - digester.size} bytes too short`;
  const diffId = digester.digest();
  if (diffId !== layer.diffId) return `its content is damaged: the digest of its tar is ${diffId}`;
  if (problem !== undefined) throw problem;
  const index = indexer.finish(diffId, layer.size);
  const isIndexWhole =
    (await holds(handle, firstPage(diffId, layer.size, index), 0)) &&
    (await holds(handle, index.metadata, index.metadataOffset)) &&
    (await allMatch(index, handle, signal));
  return isIndexWhole ? undefined : "its index is damaged: it is not what the tar yields";
}

async function allMatch(index: ErofsIndex, handle: FileHandle, signal: AbortSignal | undefined): Promise<boolean> {
  for (const copy of index.sparseCopies) if (!(await matches(handle, copy, signal))) return false;
  return true;
}

/** Whether the pieces of a sparse file equal their source in the tar, and what lies between them is zero. */
async function matches(handle: FileHandle, copy: SparseCopy, signal: AbortSignal | undefined): Promise<boolean> {
  let source = copy.from;
  let target = copy.to;
  for (const { offset, length } of copy.segments) {
    if (!(await isZero(handle, target, copy.to + offset - target, signal))) return false;
    target = copy.to + offset;
    for await (const piece of readRange(handle, source, length, signal)) {
      if (!(await holds(handle, piece, target))) return false;
      source += piece.length;
      target += piece.length;
    }
  }
  return isZero(handle, target, copy.to + copy.size - target, signal);
}

async function isZero(
  handle: FileHandle,
  start: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for await (const chunk of readRange(handle, start, length, signal)) {
    if (Buffer.compare(chunk, ZEROS.subarray(0, chunk.length)) !== 0) return false;
  }
  return true;
}

const ZEROS: Uint8Array = new Uint8Array(BATCH);

async function holds(handle: FileHandle, expected: Uint8Array, position: number): Promise<boolean> {
  let at = 0;
  for await (const chunk of readRange(handle, position, expected.length)) {
    if (Buffer.compare(chunk, expected.subarray(at, at + chunk.length)) !== 0) return false;
    at += chunk.length;
  }
  return at === expected.length;
}

/** Bytes of the file from `start`; ends early where the file does. Each chunk is valid until the next one is asked for. */
async function* readRange(
  handle: FileHandle,
  start: number,
  length: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = new Uint8Array(Math.min(BATCH, Math.max(length, 1)));
  for (let done = 0; done < length; ) {
    if (signal?.aborted) throw new CancelledError("cancelled: verifying a layer");
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, length - done), start + done);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    done += bytesRead;
  }
}
