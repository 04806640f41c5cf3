import { posix } from "node:path";
import { type Owner, ownerAmong } from "#build/ops/owner.ts";
import type { ImageFiles, TreeFile } from "#engine/images/image-files.ts";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { pathMatcher } from "#formats/path-match.ts";
import { type TarHeader, tarName } from "#formats/tar/tar-entry.ts";
import { whiteoutOf } from "#formats/whiteout.ts";
import type { ChownOpt, FileActionMkDir, FileActionRm } from "#proto/ops_pb.ts";
import { ownerText } from "./owner-text.ts";

/** As the kernel. */
const MAX_LINKS = 40;

/** Entries of the layer that removes what `action` names. Throws NotFoundError in BuildKit's words, InvalidParameterError for a bad pattern. */
export function removalEntries(files: ImageFiles, action: FileActionRm): readonly TarHeader[] {
  const { path, allowNotFound, allowWildcard } = action;
  const found = allowWildcard ? matches(files, path) : existing(files, path);
  if (found.length === 0 && !allowNotFound) throw new NotFoundError(`failed to rm ${path}: no such file or directory`);
  const layer = new LayerEntries(files);
  for (const one of found) layer.remove(one);
  return layer.entries();
}

/**
 * Entries of the layer that has a new directory. One that is there stays as it is where parents may be made. Names of owners are the root's own. Throws InvalidParameterError as
 * mkdir(2) fails, and for a name that is not there.
 */
export function directoryEntries(files: ImageFiles, action: FileActionMkDir): readonly TarHeader[] {
  const { path, mode, makeParents, owner, timestamp } = action;
  const layer = new LayerEntries(files);
  const wanted = components(path);
  for (const [at] of wanted.entries()) {
    const above = layer.real(wanted.slice(0, at));
    const place = posix.join(above, wanted[at] ?? "");
    const there = lstat(files, layer.real(wanted.slice(0, at + 1)));
    const isLast = at === wanted.length - 1;
    if (there && (!isDirectory(there) || (isLast && !makeParents)))
      throw new InvalidParameterError(`failed to mkdir ${path}: file exists`);
    if (there) continue;
    if (!isLast && !makeParents) throw new NotFoundError(`failed to mkdir ${path}: no such file or directory`);
    layer.make(place, { mode: mode & 0o7777, ...ownerOf(owner, files), mtime: timeOf(timestamp) });
  }
  return layer.entries();
}

type Made = Pick<TarHeader, "mode" | "uid" | "gid" | "mtime">;

/** What a layer is to have, with the directories on the way as they are below: in an overlay the upper directory's metadata wins. */
class LayerEntries {
  readonly #files: ImageFiles;
  readonly #directories = new Map<string, TarHeader>();
  readonly #whiteouts = new Map<string, TarHeader>();

  constructor(files: ImageFiles) {
    this.#files = files;
  }

  /** A path without links in it; what is not there stays. */
  real(path: readonly string[]): string {
    return realPath(this.#files, path);
  }

  remove(path: string): void {
    const directory = posix.dirname(path);
    this.#keep(directory);
    const name = whiteoutOf(path);
    this.#whiteouts.set(name, {
      ...header(name),
      type: "file",
      mode: 0,
      uid: 0,
      gid: 0,
      mtime: timeOf(0n),
    });
  }

  make(path: string, made: Made): void {
    this.#keep(posix.dirname(path));
    this.#directories.set(path, { ...header(path), type: "directory", ...made });
  }

  entries(): readonly TarHeader[] {
    const byPath = ([a]: readonly [string, TarHeader], [b]: readonly [string, TarHeader]): number => (a < b ? -1 : 1);
    return [...[...this.#directories].sort(byPath), ...[...this.#whiteouts].sort(byPath)].map(([, entry]) => entry);
  }

  #keep(path: string): void {
    if (path === "/" || this.#directories.has(path)) return;
    this.#keep(posix.dirname(path));
    const stat = this.#files.stat(path);
    const { mode, uid, gid, mtime } = stat;
    this.#directories.set(path, {
      ...header(path),
      type: "directory",
      mode: mode & 0o7777,
      uid,
      gid,
      mtime: timeOf(mtime),
    });
  }
}

function header(path: string): Pick<TarHeader, "path" | "size"> {
  return { path: tarName(path.slice(1)), size: 0 };
}

function existing(files: ImageFiles, path: string): readonly string[] {
  const names = components(path);
  if (names.length === 0) throw new InvalidParameterError(`failed to rm ${path}: the root itself cannot be removed`);
  const real = posix.join(realPath(files, names.slice(0, -1)), names.at(-1) ?? "");
  return lstat(files, real) ? [real] : [];
}

/** Name by name, as Go's filepath.Glob. */
function matches(files: ImageFiles, pattern: string): readonly string[] {
  let found: readonly string[] = ["/"];
  const names = components(pattern);
  for (const [at, name] of names.entries()) {
    const matches = pathMatcher(name);
    found = found.flatMap((directory) => {
      const real = realPath(files, components(directory));
      const stat = lstat(files, real);
      if (!stat || !isDirectory(stat)) return [];
      return files.list(real).flatMap((file) => (matches(file.name) ? [posix.join(real, file.name)] : []));
    });
    if (found.length === 0 || at === names.length - 1) break;
  }
  return found.filter((path) => path !== "/");
}

function components(path: string): readonly string[] {
  return posix
    .normalize(`/${path}`)
    .split("/")
    .filter((name) => name !== "" && name !== ".");
}

function realPath(files: ImageFiles, path: readonly string[]): string {
  const waiting = [...path];
  let real = "/";
  let links = 0;
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if (name === "..") {
      real = posix.dirname(real);
      continue;
    }
    const next = posix.join(real, name);
    const target = lstat(files, next)?.linkname ?? "";
    if (target === "") {
      real = next;
      continue;
    }
    if (++links > MAX_LINKS) throw new InvalidParameterError(`${next}: too many levels of symbolic links`);
    if (target.startsWith("/")) real = "/";
    waiting.unshift(...target.split("/").filter((part) => part !== "" && part !== "."));
  }
  return real;
}

function lstat(files: ImageFiles, path: string): TreeFile | undefined {
  try {
    return files.stat(path);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

const TYPE_BITS = 0o170000;
const DIRECTORY = 0o040000;

function isDirectory({ mode }: TreeFile): boolean {
  return (mode & TYPE_BITS) === DIRECTORY;
}

/** An account file is no larger. */
const MAX_ACCOUNTS = 16 * 1024 * 1024;

function ownerOf(owner: ChownOpt | undefined, files: ImageFiles): Owner {
  return ownerAmong(ownerText(owner), (path) => {
    try {
      return files.read(`/${path}`, { offset: 0, length: 0, most: MAX_ACCOUNTS });
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  });
}

/** Of nanoseconds since the epoch; none, as BuildKit says it, is its beginning. */
function timeOf(nanoseconds: bigint): TarHeader["mtime"] {
  const whole = nanoseconds > 0n ? nanoseconds : 0n;
  return { seconds: Number(whole / 1_000_000_000n), nanoseconds: Number(whole % 1_000_000_000n) };
}
