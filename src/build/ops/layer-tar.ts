import { SystemError } from "#errors/errors.ts";
import type { TarHeader } from "#formats/tar/tar-entry.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import type { FileContent, PlannedEntry } from "./layer-plan.ts";
import { SMALL_FILE, type TreeNode } from "./trees/file-tree.ts";

/** Small files are put together to pieces of this size: ten thousand of them are forty writes, not thirty thousand. */
const BATCH = 1024 * 1024;

/**
 * The tar of a layer: entries in the order given (sorted by path), whole seconds, no user names. Equal entries give equal bytes.
 * A piece is gone when the next is asked for: those of large files share one buffer, or a context of 2 GB would leave as much garbage. A file that has become shorter or longer than its entry says ends the stream with an error.
 */
export async function* layerTar(
  entries: readonly (readonly [path: string, entry: PlannedEntry])[],
): AsyncIterable<Uint8Array> {
  const batch = new Batch();
  const buffer = Buffer.allocUnsafe(BATCH);
  const firstNames = new Map<string, string>();
  for (const [path, { node, content, xattrs }] of entries) {
    if (node.type === "socket") continue;
    const known = node.inode === undefined ? undefined : firstNames.get(node.inode);
    if (node.inode !== undefined && known === undefined) firstNames.set(node.inode, path);
    const attributes = known === undefined ? (xattrs ?? xattrsOf(content)) : undefined;
    batch.add(tarHeader(headerOf(path, node, attributes, known)));
    if (node.type === "file" && known === undefined && content) {
      const small = smallContent(content, path, node);
      if (small) batch.add(small);
      else yield* largeContent(batch, content, path, node, buffer);
      batch.add(tarPadding(node.size));
    }
    // A yield per piece, not per file: each costs a turn of the micro-task queue.
    for (const piece of batch.full()) yield piece;
  }
  batch.add(TAR_END);
  for (const piece of batch.rest()) yield piece;
}

function headerOf(
  path: string,
  node: TreeNode,
  xattrs: ReadonlyMap<string, Uint8Array> | undefined,
  linkTo: string | undefined,
): TarHeader {
  return {
    path,
    type: linkTo === undefined ? (node.type as TarHeader["type"]) : "hardlink",
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    mtime: { seconds: node.mtime, nanoseconds: 0 },
    size: node.type === "file" && linkTo === undefined ? node.size : 0,
    linkPath: linkTo ?? node.linkname,
    major: node.major,
    minor: node.minor,
    ...(xattrs && xattrs.size > 0 ? { xattrs } : {}),
  };
}

function xattrsOf(content: FileContent | undefined): ReadonlyMap<string, Uint8Array> | undefined {
  return content?.kind === "tree" ? content.tree.xattrs(content.path, content.node) : undefined;
}

/** The bytes of what is small or in memory anyway; undefined for what must be streamed. */
function smallContent(content: FileContent, path: string, node: TreeNode): Uint8Array | undefined {
  if (content.kind === "bytes") return content.bytes;
  if (content.kind === "archive" || node.size > SMALL_FILE) return undefined;
  const bytes = content.tree.read(content.path, content.node);
  if (bytes.length !== node.size) throw changed(path);
  return bytes;
}

async function* largeContent(
  batch: Batch,
  content: FileContent,
  path: string,
  node: TreeNode,
  buffer: Uint8Array,
): AsyncIterable<Uint8Array> {
  for (const piece of batch.rest()) yield piece;
  let size = 0;
  for await (const chunk of contentChunks(content, buffer)) {
    size += chunk.length;
    if (size > node.size) throw changed(path);
    yield chunk;
  }
  if (size !== node.size) throw changed(path);
}

function contentChunks(content: FileContent, buffer: Uint8Array): AsyncIterable<Uint8Array> | readonly Uint8Array[] {
  switch (content.kind) {
    case "tree":
      return content.tree.chunks(content.path, content.node, buffer);
    case "archive":
      return content.archive.chunks(content.entry);
    case "bytes":
      return [content.bytes];
  }
}

function changed(path: string): SystemError {
  return new SystemError(`cannot copy "/${path}": its size changed while it was read`);
}

/** Collects small pieces into large ones. Those handed out are the reader's until it asks again: then their memory is filled anew. */
class Batch {
  #buffer: Uint8Array = Buffer.allocUnsafe(BATCH);
  #length = 0;
  #full: Uint8Array[] = [];
  /** Buffers of `#full`, of pieces that the reader has, and of those it has no more. */
  #filled: Uint8Array[] = [];
  #lent: Uint8Array[] = [];
  readonly #free: Uint8Array[] = [];

  add(bytes: Uint8Array): void {
    if (this.#length + bytes.length > BATCH) this.#close();
    if (bytes.length > BATCH) {
      this.#full.push(bytes);
      return;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The pieces that are full. */
  full(): readonly Uint8Array[] {
    if (this.#full.length === 0) return NOTHING;
    const full = this.#full;
    this.#full = [];
    this.#free.push(...this.#lent);
    this.#lent = this.#filled;
    this.#filled = [];
    return full;
  }

  /** Everything. */
  rest(): readonly Uint8Array[] {
    this.#close();
    return this.full();
  }

  #close(): void {
    if (this.#length === 0) return;
    this.#full.push(this.#buffer.subarray(0, this.#length));
    this.#filled.push(this.#buffer);
    this.#buffer = this.#free.pop() ?? Buffer.allocUnsafe(BATCH);
    this.#length = 0;
  }
}

const NOTHING: readonly Uint8Array[] = [];
