import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BerthError, DataLossError } from "#errors/errors.ts";
import { wholeContent } from "#formats/tar/sparse-content.ts";
import { TAR_BLOCK, type TarEntry } from "#formats/tar/tar-entry.ts";
import { parseHeaderBlock } from "#formats/tar/tar-header-block.ts";
import { TarParser } from "#formats/tar/tar-parser.ts";
import type { FileTree, TreeNode } from "./file-tree.ts";

/** Turns a compressed stream into the plain one; a plain one comes out as it is. */
export type Inflate = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** First bytes of gzip, zstd, xz and bzip2 streams. */
const MAGICS = ["1f8b08", "28b52ffd", "fd377a585a00", "425a68"];

export interface ArchiveTools {
  readonly inflate: Inflate;
  /** Where the plain archive lies meanwhile. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/**
 * A tar archive unpacked from its compression into a file of its own, so that its entries can be read in any order.
 * Dispose it when the layer is written.
 */
export class ArchiveFile implements AsyncDisposable {
  readonly path: string;
  readonly entries: readonly TarEntry[];

  private constructor(path: string, entries: readonly TarEntry[]) {
    this.path = path;
    this.entries = entries;
  }

  /**
   * The archive at `path` of `tree`, or undefined when the file is none: told by content, never by name. Throws what reading,
   * inflating or parsing throws once the first header was good.
   */
  static async open(
    tree: FileTree,
    path: string,
    node: TreeNode,
    { inflate, directory, signal }: ArchiveTools,
  ): Promise<ArchiveFile | undefined> {
    const bytes = (): AsyncIterable<Uint8Array> => tree.chunks(path, node);
    if (node.type !== "file" || !(await isTar(bytes, inflate))) return undefined;
    const file = join(directory, `archive-${randomBytes(12).toString("hex")}`);
    const entries: TarEntry[] = [];
    const plain = inflate(bytes());
    try {
      await pipeline(parsed(plain, entries), createWriteStream(file, { flags: "wx", mode: 0o600 }), { signal });
      return new ArchiveFile(file, entries);
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
  }

  /** The bytes of a file. */
  async *chunks(entry: TarEntry): AsyncIterable<Uint8Array> {
    const { dataOffset: start, dataSize } = entry;
    const range = { start, end: start + dataSize - 1, highWaterMark: 1024 * 1024 };
    yield* wholeContent(entry, dataSize === 0 ? Readable.from([]) : createReadStream(this.path, range));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { force: true });
  }
}

/** Passes a tar on, and notes its entries. */
async function* parsed(tar: AsyncIterable<Uint8Array>, entries: TarEntry[]): AsyncGenerator<Uint8Array, void, void> {
  const parser = new TarParser({ entry: (entry) => entries.push(entry) });
  for await (const chunk of tar) {
    parser.push(chunk);
    yield chunk;
  }
  parser.end();
}

/** Whether a stream begins as a tar or a compressed file does. */
export async function isArchive(source: AsyncIterable<Uint8Array>): Promise<boolean> {
  const start = await firstBlock(source);
  return isTarHeader(start) || isCompressed(start);
}

/** No more than a compressed file's first bytes are looked at: it may hold anything, and as much as it likes. */
async function isTar(bytes: () => AsyncIterable<Uint8Array>, inflate: Inflate): Promise<boolean> {
  const start = await firstBlock(bytes());
  if (isTarHeader(start)) return true;
  if (!isCompressed(start)) return false;
  try {
    return isTarHeader(await firstBlock(inflate(bytes())));
  } catch (error) {
    // What only looks like a compressed file is copied as it is.
    if (error instanceof DataLossError) return false;
    throw error;
  }
}

function isCompressed(start: Uint8Array): boolean {
  const hex = Buffer.from(start.subarray(0, 8)).toString("hex");
  return MAGICS.some((magic) => hex.startsWith(magic));
}

function isTarHeader(block: Uint8Array): boolean {
  if (block.length < TAR_BLOCK || block.every((byte) => byte === 0)) return false;
  try {
    parseHeaderBlock(block.subarray(0, TAR_BLOCK));
    return true;
  } catch (error) {
    if (error instanceof BerthError) return false;
    throw error;
  }
}

/** Up to one tar block from the start of a stream. */
async function firstBlock(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    parts.push(chunk);
    length += chunk.length;
    if (length >= TAR_BLOCK) break;
  }
  return Buffer.concat(parts).subarray(0, TAR_BLOCK);
}
