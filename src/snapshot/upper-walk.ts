import { type BigIntStats, closeSync, constants, lstatSync, openSync, readdirSync, type Stats } from "node:fs";
import { InvalidParameterError } from "#errors/errors.ts";
import { errnoOf } from "#sys/libc.ts";
import { getXattr } from "#sys/xattr.ts";

/*
 * Reads an overlay's upper directory: https://docs.kernel.org/filesystems/overlayfs.html#whiteouts-and-opaque-directories
 *
 * A container may be running meanwhile and swap a directory for a symbolic link to one of the host's. So every directory is held
 * open, and its entries are reached through its descriptor by their single name, of which no link is followed.
 */

/** A path that the layers have and the root has not. */
interface DeletedEntry {
  readonly kind: "deleted";
  /** latin1, relative to the root. */
  readonly path: string;
  /** Hidden because its directory was replaced as a whole, not by a whiteout of its own. */
  readonly implied: boolean;
}

/** A path that the upper directory has. */
export interface PresentEntry {
  readonly kind: "present";
  /** latin1, relative to the root. */
  readonly path: string;
  /** Where to read it; valid until the walk goes on. */
  readonly location: Buffer;
  readonly stats: BigIntStats;
  /** What the layers have under that path. */
  readonly below: "nothing" | "directory" | "other";
  /** Of what the layers have there. */
  readonly belowStats: Stats | undefined;
  /** Where to read what the layers have there, unless a directory above was replaced as a whole; valid until the walk goes on. */
  readonly belowLocation: Buffer | undefined;
  /** It replaces a directory of the layers as a whole. */
  readonly opaque: boolean;
}

export type UpperEntry = DeletedEntry | PresentEntry;

const OPAQUE = "trusted.overlay.opaque";

/** Linux's PATH_MAX without its NUL, which is also what a layer may hold. */
const MAX_PATH = 4095;

/**
 * Walks the changes of a snapshot, directories before their contents, siblings sorted by their bytes; the root itself is left
 * out. `upper` need not exist; `below` is a root of the layers alone. Throws InvalidParameterError for a path beyond PATH_MAX.
 */
export function* walkUpper(upper: string, below: string): Generator<UpperEntry, void, void> {
  using directory = openDirectory(Buffer.from(upper));
  using lower = openDirectory(Buffer.from(below));
  if (directory) yield* walkDirectory({ path: "", directory, lower, hidden: false });
}

interface Level {
  readonly path: string;
  readonly directory: OpenDirectory;
  /** The same directory in the layers. */
  readonly lower: OpenDirectory | undefined;
  /** The root does not show what `lower` has. */
  readonly hidden: boolean;
}

function* walkDirectory({ path, directory, lower, hidden }: Level): Generator<UpperEntry, void, void> {
  const names = new Set([...directory.names(), ...(hidden && lower ? lower.names() : [])]);
  for (const name of [...names].sort()) {
    const entryPath = path === "" ? name : `${path}/${name}`;
    if (entryPath.length > MAX_PATH) {
      throw new InvalidParameterError(
        `cannot store "${entryPath.slice(0, 100)}…" in a layer: longer than ${MAX_PATH} bytes`,
      );
    }
    const location = directory.at(name);
    const stats = unlessGone(() => lstatSync(location, { bigint: true }));
    const belowLocation = lower?.at(name);
    const belowStats = belowLocation && unlessGone(() => lstatSync(belowLocation));
    const inLayers = kindOf(belowStats);
    if (!stats || isWhiteout(stats)) {
      if (inLayers !== "nothing") yield { kind: "deleted", path: entryPath, implied: !stats };
      continue;
    }
    const replaces = stats.isDirectory() && unlessGone(() => getXattr(location, OPAQUE))?.toString() === "y";
    // overlayfs marks every new directory opaque, if there was one before or not.
    const opaque = replaces && inLayers === "directory";
    yield {
      kind: "present",
      path: entryPath,
      location,
      stats,
      below: inLayers,
      belowStats,
      belowLocation: hidden ? undefined : belowLocation,
      opaque,
    };
    if (!stats.isDirectory()) continue;
    using child = openDirectory(location);
    using childLower = inLayers === "directory" && lower ? openDirectory(lower.at(name)) : undefined;
    if (child)
      yield* walkDirectory({ path: entryPath, directory: child, lower: childLower, hidden: hidden || replaces });
  }
}

/** A whiteout is a character device with number 0:0. */
function isWhiteout(stats: BigIntStats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0n;
}

function kindOf(stats: Stats | undefined): PresentEntry["below"] {
  if (!stats) return "nothing";
  return stats.isDirectory() ? "directory" : "other";
}

class OpenDirectory implements Disposable {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  names(): string[] {
    const names = readdirSync(`/proc/self/fd/${this.#descriptor}`, { encoding: "buffer" });
    return names.map((name) => name.toString("latin1"));
  }

  /** A path to an entry that depends on no name above it. */
  at(name: string): Buffer {
    return Buffer.from(`/proc/self/fd/${this.#descriptor}/${name}`, "latin1");
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}

function openDirectory(location: Buffer): OpenDirectory | undefined {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const descriptor = unlessGone(() => openSync(location, flags));
  return descriptor === undefined ? undefined : new OpenDirectory(descriptor);
}

/**
 * What `read` returns, or undefined when the file has vanished or become something else since it was listed: a container that is
 * not paused goes on changing its files.
 */
export function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = errnoOf(error);
    // ELOOP: a link where none is followed; EINVAL: no link where one is read.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "EINVAL") return undefined;
    throw error;
  }
}
