import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { BerthError } from "#errors/errors.ts";
import { TAR_BLOCK, type TarEntry } from "#formats/tar/tar-entry.ts";
import { parseHeaderBlock } from "#formats/tar/tar-header-block.ts";
import { TarParser } from "#formats/tar/tar-parser.ts";
import type { FileTree, TreeNode } from "./file-tree.ts";

/** Turns a compressed stream into the plain one; a plain one comes out as it is. */
export type Inflate = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** First bytes of gzip, zstd, xz and bzip2 streams. */
const MAGICS = ["1f8b08", "28b52ffd", "fd377a585a00", "425a68"];

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
    inflate: Inflate,
    directory: string,
  ): Promise<ArchiveFile | undefined> {
    if (node.type !== "file" || !mayBeArchive(await firstBlock(tree.chunks(path, node)))) return undefined;
    const file = join(directory, `archive-${randomBytes(12).toString("hex")}`);
    try {
      await pipeline(inflate(tree.chunks(path, node)), createWriteStream(file, { flags: "wx", mode: 0o600 }));
      if (isTarHeader(await firstBlock(createReadStream(file)))) return new ArchiveFile(file, await readEntries(file));
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
    await rm(file, { force: true });
    return undefined;
  }

  /** The stored bytes of an entry. */
  async *chunks(entry: TarEntry): AsyncIterable<Uint8Array> {
    if (entry.dataSize === 0) return;
    const { dataOffset: start, dataSize } = entry;
    yield* createReadStream(this.path, { start, end: start + dataSize - 1, highWaterMark: 1024 * 1024 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { force: true });
  }
}

async function readEntries(file: string): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [];
  const parser = new TarParser({ entry: (entry) => entries.push(entry) });
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) parser.push(chunk);
  parser.end();
  return entries;
}

/** Whether a stream begins as a tar or a compressed file does. */
export async function isArchive(source: AsyncIterable<Uint8Array>): Promise<boolean> {
  return mayBeArchive(await firstBlock(source));
}

function mayBeArchive(start: Uint8Array): boolean {
  const hex = Buffer.from(start.subarray(0, 8)).toString("hex");
  return MAGICS.some((magic) => hex.startsWith(magic)) || isTarHeader(start);
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
