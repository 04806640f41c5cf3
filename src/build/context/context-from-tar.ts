import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CancelledError, InvalidParameterError } from "#errors/errors.ts";
import { Digester } from "#formats/digest.ts";
import { IgnoreMatcher, parseDockerignore } from "#formats/dockerignore.ts";
import { wholeContent } from "#formats/tar/sparse-content.ts";
import { type TarEntry, tarText } from "#formats/tar/tar-entry.ts";
import { readTar, type TarStreamEntry } from "#formats/tar/tar-reader.ts";
import { freeBehind } from "#lib/free-behind.ts";
import { isCleanPath } from "./context-lines.ts";
import { type OpenContext, openPackContext } from "./open-context.ts";
import { type PackAppender, PackFile } from "./pack-file.ts";
import type { StoredEntry } from "./stored-entry.ts";
import { UnpackedEntries } from "./unpacked-entries.ts";

export interface TarContextOptions {
  /** For the contents; nothing with a name stays there. */
  readonly directory: string;
  /** Path of the Dockerfile in the archive: it and .dockerignore are no part of the files when .dockerignore excludes them. */
  readonly dockerfile: string;
  readonly signal?: AbortSignal;
}

/**
 * A context from an uncompressed tar, as docker's CLI and libraries send it. Its content lives in an unlinked file until the context is
 * disposed. Devices and pipes are left out; the chunks of `source` are empty afterwards. Throws InvalidParameterError for a name that leads out of the context, what `readTar`
 * throws for a malformed archive, CancelledError on abort.
 */
export async function contextFromTar(
  source: AsyncIterable<Uint8Array>,
  options: TarContextOptions,
): Promise<OpenContext> {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const pack = PackFile.createAnonymous(join(options.directory, `context-${randomBytes(8).toString("hex")}`));
  try {
    const { tree, transferred } = await readTree(source, pack, options.signal);
    return withoutExcluded(tree.entries(), pack, transferred, options.dockerfile);
  } finally {
    pack.release();
  }
}

async function readTree(
  source: AsyncIterable<Uint8Array>,
  pack: PackFile,
  signal: AbortSignal | undefined,
): Promise<{ readonly tree: UnpackedEntries; readonly transferred: number }> {
  const tree = new UnpackedEntries();
  await using appender = await pack.appender();
  for await (const item of readTar(freeBehind(source))) {
    if (signal?.aborted) throw new CancelledError("context canceled", { cause: signal.reason });
    await addEntry(tree, item, appender);
  }
  appender.commit();
  return { tree, transferred: appender.position };
}

async function addEntry(tree: UnpackedEntries, { entry, body }: TarStreamEntry, appender: PackAppender): Promise<void> {
  const path = contextPath(entry.path);
  if (path === "") return;
  const common = { path, mode: entry.mode & 0o7777, mtime: millisecondsOf(entry), ctime: 0, inode: 0 };
  const none = { ...common, size: 0, linkname: "", offset: 0 };
  switch (entry.type) {
    case "directory":
      tree.add({ ...none, type: "directory" });
      return;
    case "symlink":
      tree.add({ ...none, type: "symlink", linkname: entry.linkPath });
      return;
    case "hardlink":
      tree.link(path, contextPath(entry.linkPath));
      return;
    case "file":
      tree.add({ ...common, type: "file", linkname: "", size: entry.size, ...(await store(entry, body, appender)) });
      return;
    default:
      return;
  }
}

async function store(
  entry: TarEntry,
  body: AsyncIterable<Uint8Array>,
  appender: PackAppender,
): Promise<Pick<StoredEntry, "offset" | "digest">> {
  const offset = appender.position;
  const digester = new Digester();
  for await (const chunk of wholeContent(entry, body)) {
    digester.update(chunk);
    await appender.write(chunk);
  }
  return { offset, digest: digester.digest() };
}

/** The clean path of a name in the archive, "" for the root. Throws InvalidParameterError when it leads out. */
function contextPath(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  const path = parts.join("/");
  if (name.startsWith("/") || (path !== "" && !isCleanPath(path))) {
    throw new InvalidParameterError(`invalid build context: ${JSON.stringify(tarText(name))} is no path within it`);
  }
  return path;
}

function millisecondsOf({ mtime }: TarEntry): number {
  return mtime.seconds * 1000 + mtime.nanoseconds / 1e6;
}

/**
 * The client has applied .dockerignore already, but had to send the Dockerfile and .dockerignore itself even if they are excluded; the
 * engine takes them out, as moby's does. https://github.com/moby/moby/blob/master/daemon/builder/remotecontext/detect.go
 */
function withoutExcluded(
  entries: readonly StoredEntry[],
  pack: PackFile,
  transferred: number,
  dockerfile: string,
): OpenContext {
  const all = openPackContext(entries, pack, { transferred });
  const ignoreFile = entries.find((entry) => entry.path === ".dockerignore" && entry.type === "file");
  if (!ignoreFile) return all;
  const text = Buffer.from(all.files.read(ignoreFile)).toString("utf8");
  const matcher = new IgnoreMatcher(parseDockerignore(text));
  const excluded = [dockerfile, ".dockerignore"].filter((path) => matcher.ignores(path));
  if (excluded.length === 0) return all;
  const kept = entries.filter((entry) => !excluded.includes(tarText(entry.path)));
  const files = openPackContext(kept, pack, { transferred });
  return {
    files: files.files,
    dockerfile: (name) => all.dockerfile(name),
    [Symbol.asyncDispose]: async () => {
      await files[Symbol.asyncDispose]();
      await all[Symbol.asyncDispose]();
    },
  };
}
