import { type BigIntStats, closeSync, constants, fstatSync, openSync, readdirSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { posix } from "node:path";
import { errorCode, SystemError } from "#errors/errors.ts";
import { tarText } from "#formats/tar/tar-entry.ts";
import { entryAt, fileAt, openPath, readLinkAt } from "#sys/by-descriptor.ts";
import { callError } from "#sys/libc.ts";
import type { OpenMount } from "./open-mount.ts";

/** Links that one path may lead through, as the kernel's own limit (path_resolution(7)). */
const MAX_LINKS = 40;
/** openat2(2) has no say about the descriptor table: nothing nests deeper than this many directories. */
const MAX_DEPTH = 2048;

/** A file of a container, held open: whatever its names lead to from now on, this is the file that was meant. Dispose it. */
export interface Place extends Disposable {
  /** O_PATH. */
  readonly descriptor: number;
  /** Absolute path in the container without links, latin1. */
  readonly path: string;
  readonly stats: BigIntStats;
  /** What it lies on; undefined for the container's own root filesystem. */
  readonly mount: OpenMount | undefined;
}

/**
 * The files of a container as its processes see them: its root filesystem and what is mounted over it, also while it does not run. System
 * mounts (/proc, /sys, /dev) are not among them, as in Docker.
 *
 * Its processes may swap any directory for a link at any moment. So no path is ever given to the kernel: each name is opened by itself in the
 * directory that is held open, without following links; links and ".." are followed here, and cannot leave the root. Paths are latin1.
 */
export class ContainerTree implements Disposable {
  readonly #root: number;
  readonly #mounts = new Map<string, OpenMount>();
  readonly #all: readonly OpenMount[];

  /**
   * `root` is the host path of the container's mounted root, itself trusted. The tree takes the mounts over and closes them. Throws Node's system
   * errors for a root that is not there; then the mounts are closed.
   */
  constructor(root: string, mounts: readonly OpenMount[]) {
    this.#all = mounts;
    try {
      this.#root = openPath(root);
    } catch (error) {
      this.#closeMounts();
      throw error;
    }
    const byDepth = mounts.toSorted((a, b) => depth(a.destination) - depth(b.destination));
    for (const mount of byDepth) this.#cover(mount);
  }

  /** The file at `path`, all links followed; undefined when there is none. */
  find(path: string): Place | undefined {
    return this.#find(path, true);
  }

  /** As {@link find}, but a link as last part is what is found, unless "/" or "/." stands behind it. */
  findItself(path: string): Place | undefined {
    return this.#find(path, endsAsDirectory(path));
  }

  #find(path: string, followLast: boolean): Place | undefined {
    const walk = this.#walk(path, followLast);
    if (walk.missing.length > 0) {
      walk[Symbol.dispose]();
      return undefined;
    }
    return walk.place();
  }

  /** Where `path` leads after all links; what does not exist at its end is kept by its name alone. */
  resolve(path: string): string {
    using walk = this.#walk(path, true);
    return posix.normalize(join(walk.path, walk.missing.join("/")));
  }

  /** The entry `name` of a directory, a link itself; undefined when it has gone. */
  child(directory: Place, name: string): Place | undefined {
    return this.#open(directory, name);
  }

  /** Names in a directory, latin1, sorted by their bytes. */
  names(directory: Place): string[] {
    const listed = readdirSync(fileAt(directory.descriptor), { encoding: "buffer" });
    const names = new Set(listed.map((name) => name.toString("latin1")));
    for (const path of this.#mounts.keys()) {
      const slash = path.lastIndexOf("/");
      if ((path.slice(0, slash) || "/") === directory.path) names.add(path.slice(slash + 1));
    }
    return [...names].sort();
  }

  [Symbol.dispose](): void {
    closeSync(this.#root);
    this.#closeMounts();
  }

  #closeMounts(): void {
    for (const mount of this.#all) mount[Symbol.dispose]();
  }

  /** A container that can take mounts away may have put a file, or links in a circle, where the path of one was: then none leads there. */
  #cover(mount: OpenMount): void {
    try {
      this.#mounts.set(this.resolve(mount.destination), mount);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
  }

  #open(directory: Place, name: string): HeldPlace | undefined {
    const path = join(directory.path, name);
    const mount = this.#mounts.get(path);
    if (mount) return new HeldPlace({ descriptor: mount.descriptor, path, mount, owned: false });
    const descriptor = tryOpen(directory.descriptor, name);
    return descriptor === undefined
      ? undefined
      : new HeldPlace({ descriptor, path, mount: directory.mount, owned: true });
  }

  #walk(path: string, followLast: boolean): Walk {
    const walk = new Walk({ descriptor: this.#root, path: "/", mount: undefined, owned: false });
    try {
      this.#follow(walk, path, followLast);
    } catch (error) {
      walk[Symbol.dispose]();
      throw error;
    }
    return walk;
  }

  #follow(walk: Walk, path: string, followLast: boolean): void {
    const pending = parts(path);
    let mustBeDirectory = endsAsDirectory(path);
    let links = 0;
    for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
      if (name === "..") {
        walk.up();
        continue;
      }
      if (walk.depth > MAX_DEPTH) throw callError("open", -osConstants.errno.ENAMETOOLONG, tarText(path));
      const next = this.#open(walk.top, name);
      if (!next) {
        walk.missing.push(name, ...pending);
        return;
      }
      const isLast = pending.length === 0;
      if (next.stats.isSymbolicLink() && (!isLast || followLast)) {
        const target = readLink(next);
        if (++links > MAX_LINKS) throw callError("open", -osConstants.errno.ELOOP, tarText(path));
        if (target.startsWith("/")) walk.toRoot();
        if (isLast && endsAsDirectory(target)) mustBeDirectory = true;
        pending.unshift(...parts(target));
        continue;
      }
      walk.push(next);
      if (!next.stats.isDirectory() && (!isLast || mustBeDirectory)) throw notDirectory(path);
    }
  }
}

interface Held {
  readonly descriptor: number;
  readonly path: string;
  readonly mount: OpenMount | undefined;
  /** Closed with the place; mounts' and the root's own belong to the tree. */
  readonly owned: boolean;
}

class HeldPlace implements Place {
  readonly descriptor: number;
  readonly path: string;
  readonly mount: OpenMount | undefined;
  readonly stats: BigIntStats;
  readonly #owned: boolean;
  #closed = false;

  constructor({ descriptor, path, mount, owned }: Held) {
    this.descriptor = descriptor;
    this.path = path;
    this.mount = mount;
    this.#owned = owned;
    this.stats = fstatSync(descriptor, { bigint: true });
  }

  [Symbol.dispose](): void {
    if (this.#closed || !this.#owned) return;
    this.#closed = true;
    closeSync(this.descriptor);
  }
}

/** The directories from the root to where a path has led so far: ".." goes back through them, never through the file system. */
class Walk implements Disposable {
  readonly #stack: HeldPlace[];
  /** What of the path does not exist. */
  readonly missing: string[] = [];

  constructor(root: Held) {
    this.#stack = [new HeldPlace(root)];
  }

  get top(): HeldPlace {
    const top = this.#stack.at(-1);
    if (!top) throw new SystemError("a walk without its root");
    return top;
  }

  get path(): string {
    return this.top.path;
  }

  get depth(): number {
    return this.#stack.length;
  }

  push(place: HeldPlace): void {
    this.#stack.push(place);
  }

  up(): void {
    if (this.#stack.length > 1) this.#stack.pop()?.[Symbol.dispose]();
  }

  toRoot(): void {
    while (this.#stack.length > 1) this.up();
  }

  /** Where it has led; what is above is given back. */
  place(): Place {
    const place = this.top;
    for (const above of this.#stack) if (above !== place) above[Symbol.dispose]();
    return place;
  }

  [Symbol.dispose](): void {
    this.toRoot();
    this.top[Symbol.dispose]();
  }
}

function readLink(place: HeldPlace): string {
  try {
    return readLinkAt(place.descriptor).toString("latin1");
  } finally {
    place[Symbol.dispose]();
  }
}

function tryOpen(directory: number, name: string): number | undefined {
  try {
    return openPath(entryAt(directory, name));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Opens what a place holds for reading; undefined for anything but files and directories, whose opening could block or act. */
export function openForReading(place: Place): number | undefined {
  if (!place.stats.isFile() && !place.stats.isDirectory()) return undefined;
  return openSync(fileAt(place.descriptor), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
}

/** The words of Go's errors, which Docker passes on. */
function notDirectory(path: string): SystemError {
  return new SystemError(`lstat ${tarText(path)}: not a directory`);
}

function parts(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** What ends in "/" or "/." asks for a directory, and follows a link to one. */
function endsAsDirectory(path: string): boolean {
  return /\/\.?$/.test(path);
}

/** An absolute path and what comes below it. */
function join(directory: string, name: string): string {
  if (name === "") return directory;
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

function depth(path: string): number {
  return parts(path).length;
}
