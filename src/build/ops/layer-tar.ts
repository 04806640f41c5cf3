import { SystemError } from "#errors/errors.ts";
import type { TarHeader } from "#formats/tar/tar-entry.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { SMALL_FILE, type TreeNode } from "./file-tree.ts";
import type { FileContent, PlannedEntry } from "./layer-plan.ts";

/** Small files are put together to pieces of this size: ten thousand of them are forty writes, not thirty thousand. */
const BATCH = 1024 * 1024;

/**
 * The tar of a layer: entries in the order given (sorted by path), whole seconds, no user names. Equal entries give equal bytes.
 * A file that has become shorter or longer than its entry says ends the stream with an error.
 */
export async function* layerTar(
  entries: readonly (readonly [path: string, entry: PlannedEntry])[],
): AsyncIterable<Uint8Array> {
  const batch = new Batch();
  const firstNames = new Map<string, string>();
  for (const [path, { node, content }] of entries) {
    if (node.type === "socket") continue;
    const known = node.inode === undefined ? undefined : firstNames.get(node.inode);
    if (node.inode !== undefined && known === undefined) firstNames.set(node.inode, path);
    yield* batch.add(tarHeader(headerOf(path, node, content, known)));
    if (node.type !== "file" || known !== undefined || !content) continue;
    const small = smallContent(content, path, node);
    if (small) yield* batch.add(small);
    else yield* largeContent(batch, content, path, node);
    yield* batch.add(tarPadding(node.size));
  }
  yield* batch.add(TAR_END);
  yield* batch.rest();
}

function headerOf(
  path: string,
  node: TreeNode,
  content: FileContent | undefined,
  linkTo: string | undefined,
): TarHeader {
  const xattrs =
    content?.kind === "tree" && linkTo === undefined ? content.tree.xattrs(content.path, content.node) : undefined;
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
): AsyncIterable<Uint8Array> {
  yield* batch.rest();
  let size = 0;
  for await (const chunk of contentChunks(content)) {
    size += chunk.length;
    if (size > node.size) throw changed(path);
    yield chunk;
  }
  if (size !== node.size) throw changed(path);
}

function contentChunks(content: FileContent): AsyncIterable<Uint8Array> | readonly Uint8Array[] {
  switch (content.kind) {
    case "tree":
      return content.tree.chunks(content.path, content.node);
    case "archive":
      return content.archive.chunks(content.entry);
    case "bytes":
      return [content.bytes];
  }
}

function changed(path: string): SystemError {
  return new SystemError(`cannot copy "/${path}": its size changed while it was read`);
}

/** Collects small pieces into large ones. A full piece is handed out and never touched again. */
class Batch {
  #buffer = Buffer.allocUnsafe(BATCH);
  #length = 0;

  *add(bytes: Uint8Array): Iterable<Uint8Array> {
    if (this.#length + bytes.length > BATCH) yield* this.rest();
    if (bytes.length > BATCH) {
      yield bytes;
      return;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  *rest(): Iterable<Uint8Array> {
    if (this.#length === 0) return;
    yield this.#buffer.subarray(0, this.#length);
    this.#buffer = Buffer.allocUnsafe(BATCH);
    this.#length = 0;
  }
}
