import { setImmediate } from "node:timers/promises";
import { Digester, digestOf } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";
import type { SourceSelection } from "../ops/copy/select-sources.ts";
import { type FileTree, SMALL_FILE, type TreeNode } from "../ops/trees/file-tree.ts";
import { selectedFiles } from "../ops/trees/tree-filter.ts";

/** Longer lists of files are not kept, characters: a change in them is told without names. */
const MAX_MANIFEST = 16 * 1024 * 1024;

/** What one source argument chose: the digest of `manifest`, which has a line per file (read by file-manifest.ts). */
export interface SourceContent {
  readonly content: Digest;
  readonly manifest?: string;
}

/** Files hashed between two turns of the event loop. */
const FILES_PER_TURN = 200;

/**
 * Digest over what one source argument chose: for each file its path below the argument, type, mode, owner, size, link target and
 * content; never its times, nor the name of the argument itself. BuildKit's rules: cache/contenthash. Throws the signal's reason on abort.
 */
export async function contentDigest(
  tree: FileTree,
  source: SourceSelection,
  signal: AbortSignal,
): Promise<SourceContent> {
  const lines: string[] = [];
  let hashed = 0;
  const add = async (path: string, node: TreeNode, name: string): Promise<void> => {
    let content: string = node.digest ?? "";
    // Files of the context have their digests already: no promise per file there.
    if (node.type === "file" && content === "") {
      signal.throwIfAborted();
      content = await fileDigest(tree, path, node, signal);
      if (++hashed % FILES_PER_TURN === 0) await setImmediate();
    }
    lines.push(describe(tree, path, node, name, content));
  };
  const isPattern = source.selections.length !== 1 || source.selections[0]?.name !== source.argument;
  for (const selection of source.selections) {
    const { path, node, name } = selection;
    const prefix = isPattern ? name : "";
    // The root of the context is the client's own directory: its mode means nothing.
    if (path !== "") await add(path, node, prefix);
    if (node.type !== "directory") continue;
    for (const { path: child, node: childNode } of selectedFiles(tree, selection)) {
      const relative = `${prefix}/${child.slice(path === "" ? 0 : path.length + 1)}`;
      if (childNode.type === "file" && !childNode.digest) await add(child, childNode, relative);
      else lines.push(describe(tree, child, childNode, relative, childNode.digest ?? ""));
    }
  }
  const manifest = lines.join("\n");
  const content = digestOf(Buffer.from(manifest, "latin1"));
  return manifest.length > MAX_MANIFEST ? { content } : { content, manifest };
}

/** One line per file; names in JSON, as they can hold any separator. */
function describe(tree: FileTree, path: string, node: TreeNode, name: string, content: string): string {
  const { type, mode, uid, gid, size, linkname, major, minor } = node;
  const xattrs = [...tree.xattrs(path, node)].map(([key, value]) => `${key}=${Buffer.from(value).toString("hex")}`);
  const link = linkname === "" ? "" : JSON.stringify(linkname);
  return `${JSON.stringify(name)} ${type} ${mode} ${uid}:${gid} ${size} ${major}:${minor} ${content} ${link} ${xattrs.join(" ")}`;
}

async function fileDigest(tree: FileTree, path: string, node: TreeNode, signal: AbortSignal): Promise<Digest> {
  if (node.size <= SMALL_FILE) return digestOf(tree.read(path, node));
  const digester = new Digester();
  for await (const chunk of tree.chunks(path, node)) {
    signal.throwIfAborted();
    digester.update(chunk);
  }
  return digester.digest();
}
