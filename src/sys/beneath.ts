import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
} from "node:fs";
import { constants as osConstants } from "node:os";
import { posix } from "node:path";
import { ConflictError, errorCode, InvalidParameterError } from "#errors/errors.ts";
import { callError, cPath, displayPath, type Path, tryCall } from "./libc.ts";
import { O_CLOEXEC, O_PATH } from "./open-flags.ts";

/*
 * A path inside a container's root is hostile: any part of it may be a symbolic link out, and may become one between a check and
 * the use. Only the kernel can resolve it safely: openat2(2) with RESOLVE_IN_ROOT treats the root as "/" for links and "..", as
 * chroot would, and gives a descriptor that no later renaming can redirect.
 */

const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_BENEATH = 0x08;
const RESOLVE_IN_ROOT = 0x10;
const { ENOENT, EAGAIN, EEXIST, ENOTDIR, ELOOP } = osConstants.errno;

/** The kernel gives EAGAIN when something in the tree was renamed while it resolved ".."; it advises to try again. */
const MAX_RACES = 64;
/** Links that one mkdir may meet, as the kernel's own limit (path_resolution(7)). */
const MAX_LINKS = 40;

export interface MakeDirectoriesOptions {
  /** For directories that are made; default 0755, whatever the umask. */
  readonly mode?: number;
  /** Owner of directories that are made; default 0. */
  readonly uid?: number;
  readonly gid?: number;
}

/** A directory opened as a root of its own. Use with `using`. Descriptors that it returns are closed by the caller. */
export class RootDirectory implements Disposable {
  readonly path: string;
  readonly #descriptor: number;
  #closed = false;

  /** Opens the directory at `path`, itself trusted. Throws Node's system errors (ENOENT, ENOTDIR). */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = openSync(path, O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
  }

  /**
   * Opens `path` inside the root; its links stay inside. `flags` as open(2); add O_NOFOLLOW to refuse a link as last part, or to
   * open the link itself with O_PATH. The descriptor works with node:fs, and as `/proc/self/fd/N` where a path is wanted. Returns
   * undefined when it does not exist. Throws SystemCallError (ENOTDIR, ELOOP, EACCES …).
   */
  open(path: Path, flags: number, mode = 0): number | undefined {
    const result = this.#tryOpen(path, flags, mode);
    if (result === -ENOENT) return undefined;
    if (result < 0) throw callError("openat2", result, displayPath(path));
    return result;
  }

  /** As `open`, but a link or ".." that leads out of the root is refused, as is an absolute link: throws SystemCallError EXDEV. */
  openBeneath(path: Path, flags: number): number | undefined {
    const result = this.#tryOpen(path, flags, 0, RESOLVE_BENEATH);
    if (result === -ENOENT) return undefined;
    if (result < 0) throw callError("openat2", result, displayPath(path));
    return result;
  }

  /** Like lstat(2) inside the root, without following a link as last part. Undefined when it does not exist. */
  lstat(path: Path): Stats | undefined {
    return this.#stat(path, O_PATH | constants.O_NOFOLLOW);
  }

  /** Like stat(2) inside the root: links lead on, within the root. Undefined when it does not exist or leads in a circle. */
  stat(path: Path): Stats | undefined {
    return this.#stat(path, O_PATH);
  }

  /** Where `path` leads after all links, as an absolute path inside the root. Undefined when it does not exist. */
  resolve(path: Path): string | undefined {
    const descriptor = this.open(path, O_PATH);
    if (descriptor === undefined) return undefined;
    try {
      return this.#pathOf(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  /**
   * Reads a regular file inside the root. Undefined when there is none. Throws InvalidParameterError beyond `maxBytes`
   * (a container decides what its /etc/passwd is) and for anything but a regular file: a fifo would block for ever.
   */
  readFile(path: Path, maxBytes: number): Buffer | undefined {
    const descriptor = this.open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    if (descriptor === undefined) return undefined;
    try {
      const { size } = this.#regularFile(descriptor, path);
      if (size > maxBytes) {
        throw new InvalidParameterError(
          `cannot read "${displayPath(path)}": ${size} bytes are more than the limit of ${maxBytes}`,
        );
      }
      const bytes = Buffer.alloc(size);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, size, 0));
    } finally {
      closeSync(descriptor);
    }
  }

  /**
   * mkdir -p inside the root. Links on the way are followed inside the root; one that leads nowhere gets its target made, as
   * Docker does. Throws ConflictError when a part exists and is not a directory.
   */
  makeDirectories(path: string, options: MakeDirectoriesOptions = {}): void {
    let links = 0;
    const pending = segments(path);
    let done = "/";
    for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
      const next = posix.join(done, name);
      const target = this.#makeDirectory(done, name, options);
      if (target === undefined) {
        done = next;
      } else {
        if (++links > MAX_LINKS) throw callError("mkdir", -ELOOP, path);
        pending.unshift(...segments(posix.resolve(this.resolve(done) ?? "/", target)));
        done = "/";
      }
    }
  }

  /** Makes an empty file, 0644 and root's, unless something has that name; its directory must exist. */
  makeFile(path: string): void {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const result = this.#tryOpen(path, flags, 0o644);
    if (result === -EEXIST) return;
    if (result < 0) throw callError("openat2", result, path);
    closeSync(result);
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#descriptor);
  }

  /** Makes one directory unless it is there. Returns the target of a dangling link in its place, for the caller to make. */
  #makeDirectory(parent: string, name: string, options: MakeDirectoriesOptions): string | undefined {
    const path = posix.join(parent, name);
    const existing = this.stat(path);
    if (existing?.isDirectory()) return undefined;
    if (existing) throw new ConflictError(`cannot create directory "${path}": a file is in its place`);
    const inside = this.open(parent, O_PATH | constants.O_DIRECTORY);
    if (inside === undefined) throw callError("mkdir", -ENOENT, path);
    try {
      // Under the parent's descriptor a single name cannot lead elsewhere.
      const entry = `/proc/self/fd/${inside}/${name}`;
      const link = makeOrReadLink(entry);
      if (link !== undefined) return link;
      this.#setOwner(path, options);
      return undefined;
    } finally {
      closeSync(inside);
    }
  }

  /** Sets what mkdir's umask and the engine's own uid do not: through a descriptor that is known not to be a link. */
  #setOwner(path: string, options: MakeDirectoriesOptions): void {
    const descriptor = this.open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    if (descriptor === undefined) throw callError("mkdir", -ENOENT, path);
    try {
      chownSync(`/proc/self/fd/${descriptor}`, options.uid ?? 0, options.gid ?? 0);
      chmodSync(`/proc/self/fd/${descriptor}`, options.mode ?? 0o755);
    } finally {
      closeSync(descriptor);
    }
  }

  #stat(path: Path, flags: number): Stats | undefined {
    const descriptor = this.#tryOpen(path, flags, 0);
    // ENOTDIR: a file stands where the path has a directory, so nothing is there.
    if (descriptor === -ENOENT || descriptor === -ENOTDIR || descriptor === -ELOOP) return undefined;
    if (descriptor < 0) throw callError("openat2", descriptor, displayPath(path));
    try {
      return fstatSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  #regularFile(descriptor: number, path: Path): Stats {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new InvalidParameterError(`cannot read "${displayPath(path)}": not a regular file`);
    return stats;
  }

  #pathOf(descriptor: number): string {
    const root = readlinkSync(`/proc/self/fd/${this.#descriptor}`);
    const path = readlinkSync(`/proc/self/fd/${descriptor}`);
    return path.slice(root === "/" ? 0 : root.length) || "/";
  }

  #tryOpen(path: Path, flags: number, mode: number, resolve = RESOLVE_IN_ROOT): number {
    // struct open_how: flags, mode, resolve; 64 bits each.
    const how = Buffer.alloc(24);
    how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
    how.writeBigUInt64LE(BigInt(mode), 8);
    how.writeBigUInt64LE(BigInt(resolve | RESOLVE_NO_MAGICLINKS), 16);
    const name = cPath(path.length === 0 ? "." : path);
    let result = -EAGAIN;
    for (let attempt = 0; result === -EAGAIN && attempt < MAX_RACES; attempt++) {
      result = tryCall("openat2", this.#descriptor, name, how, how.length);
    }
    return result;
  }
}

/** mkdir, or the target of the link that is in its place; undefined when a directory was made or somebody else made one. */
function makeOrReadLink(path: string): string | undefined {
  try {
    mkdirSync(path, 0o700);
    return undefined;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  try {
    return readlinkSync(path);
  } catch (error) {
    if (errorCode(error) === "EINVAL") return undefined;
    throw error;
  }
}

function segments(path: string): string[] {
  return posix
    .resolve("/", path)
    .split("/")
    .filter((segment) => segment !== "");
}
