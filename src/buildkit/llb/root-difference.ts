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
  const gone = [...before.keys()].filter((path) => !after.has(path) && after.has(posix.dirname(path)));
  const wanted = new Set<string>();
  for (const [path, signature] of after) if (before.get(path) !== signature) addWithParents(wanted, path);
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

/** What tells whether a file is the same, by path; `.` is the root. */
async function signatures(root: RootTar): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>([[".", ""]]);
  for await (const { entry, body } of readTar(root())) {
    const digester = new Digester();
    for await (const chunk of body) digester.update(chunk);
    const { type, mode, uid, gid, mtime, size, linkPath, major, minor, xattrs } = entry;
    const attributes = [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString("latin1")]);
    const content = size > 0 ? digester.digest() : "";
    found.set(
      pathOf(entry),
      JSON.stringify([type, mode, uid, gid, mtime, size, linkPath, major, minor, attributes, content]),
    );
  }
  return found;
}

function addWithParents(paths: Set<string>, path: string): void {
  for (let at = path; at !== "." && !paths.has(at); at = posix.dirname(at)) paths.add(at);
}

function pathOf({ path }: TarEntry): string {
  return path.replace(/^\.?\/+|\/+$/g, "") || ".";
}

function whiteout(path: string): Parameters<typeof tarHeader>[0] {
  const mtime = { seconds: 0, nanoseconds: 0 };
  return { path: whiteoutOf(path), type: "file", mode: 0, uid: 0, gid: 0, mtime, size: 0 };
}
