import { posix } from "node:path";
import { Digester } from "#formats/digest.ts";
import type { TarEntry } from "#formats/tar/tar-entry.ts";
import { readTar } from "#formats/tar/tar-reader.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { whiteoutOf } from "#formats/whiteout.ts";

/** A root's files as a tar, read anew by each call: a directory before what is in it. */
export type RootTar = () => AsyncIterable<Uint8Array>;

/**
 * The layer that makes `upper` of `lower`: what differs in anything that a tar tells (content, type, mode, owner, time, attributes), deletions, and the directories on the way to
 * both. Each root is read once, and `upper` once more.
 */
export async function* rootDifference(lower: RootTar, upper: RootTar): AsyncGenerator<Uint8Array, void, void> {
  const before = await signatures(lower);
  const after = await signatures(upper);
  // What lay in a directory that is none any more is gone with it.
  const isGone = (path: string): boolean => !after.has(path) && after.get(posix.dirname(path))?.type === "directory";
  const gone = [...before.keys()].filter(isGone);
  const wanted = new Set<string>();
  for (const [path, { signature, linkPath }] of after) {
    if (before.get(path)?.signature === signature) continue;
    addWithParents(wanted, path);
    // A layer's hard links lead to files of its own.
    if (linkPath !== undefined) addWithParents(wanted, linkPath);
  }
  for (const path of gone) addWithParents(wanted, posix.dirname(path));
  for await (const { entry, body } of readTar(upper())) {
    if (!wanted.has(pathOf(entry))) continue;
    yield tarHeader(entry);
    if (entry.size === 0) continue;
    yield* body;
    yield tarPadding(entry.size);
  }
  for (const path of gone) yield tarHeader(whiteout(path));
  yield TAR_END;
}

interface SignedFile {
  readonly type: TarEntry["type"];
  /** What tells whether it is the same. */
  readonly signature: string;
  /** Of a hard link. */
  readonly linkPath: string | undefined;
}

/** By path; `.` is the root. */
async function signatures(root: RootTar): Promise<ReadonlyMap<string, SignedFile>> {
  const found = new Map<string, SignedFile>([[".", { type: "directory", signature: "", linkPath: undefined }]]);
  for await (const { entry, body } of readTar(root())) {
    const digester = new Digester();
    for await (const chunk of body) digester.update(chunk);
    const { type, mode, uid, gid, mtime, size, linkPath, major, minor, xattrs } = entry;
    const attributes = [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString("latin1")]);
    const content = size > 0 ? digester.digest() : "";
    found.set(pathOf(entry), {
      type,
      signature: JSON.stringify([type, mode, uid, gid, mtime, size, linkPath, major, minor, attributes, content]),
      linkPath: type === "hardlink" ? cleaned(linkPath) : undefined,
    });
  }
  return found;
}

function addWithParents(paths: Set<string>, path: string): void {
  for (let at = path; at !== "." && !paths.has(at); at = posix.dirname(at)) paths.add(at);
}

function pathOf({ path }: TarEntry): string {
  return cleaned(path);
}

function cleaned(path: string): string {
  return path.replace(/^\.?\/+|\/+$/g, "") || ".";
}

function whiteout(path: string): Parameters<typeof tarHeader>[0] {
  const mtime = { seconds: 0, nanoseconds: 0 };
  return { path: whiteoutOf(path), type: "file", mode: 0, uid: 0, gid: 0, mtime, size: 0 };
}
