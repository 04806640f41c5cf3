import { InvalidParameterError } from "#errors/errors.ts";
import type { Stat } from "#proto/fsutil_pb.ts";
import type { ContextEntryLine } from "#spec/berth-api.ts";
import { entryType, permissionBits } from "./go-file-mode.ts";

/** As the context store's own bound. */
const MAX_ENTRIES = 2_000_000;
/** Bounds the memory of one description, names' bytes. */
const MAX_NAME_BYTES = 1024 * 1024 * 1024;

/** An entry of a client's directory, and the number by which its content is asked for. */
export interface OfferedEntry {
  readonly id: number;
  readonly line: ContextEntryLine;
}

/**
 * Collects the stats that a client sends. Paths and numbers are checked when the whole is offered to the context store; here it is only seen
 * to that there are not too many, and that hard links name a file that came before.
 */
export class OfferedEntries {
  readonly #entries: OfferedEntry[] = [];
  readonly #sizes = new Map<string, number>();
  #count = 0;
  #nameBytes = 0;

  /** Throws InvalidParameterError. */
  add(stat: Stat): void {
    const id = this.#count++;
    this.#nameBytes += stat.path.length + stat.linkname.length;
    if (this.#count > MAX_ENTRIES) throw invalid(`it has more than ${MAX_ENTRIES} entries`);
    if (this.#nameBytes > MAX_NAME_BYTES) throw invalid("its names are too long");
    const type = entryType(stat.mode);
    if (type === undefined) return;
    const size = type === "f" ? this.#sizeOf(stat) : 0;
    if (type === "f") this.#sizes.set(stat.path, size);
    this.#entries.push({ id, line: lineOf(stat, type, size) });
  }

  /** Sorted bytewise by path; clients send them in the order of a walk, in which `a/b` comes before `a.b`. */
  sorted(): readonly OfferedEntry[] {
    return this.#entries.sort((a, b) => (a.line.p < b.line.p ? -1 : a.line.p > b.line.p ? 1 : 0));
  }

  /** A hard link's stat has no size of its own. */
  #sizeOf({ path, linkname, size }: Stat): number {
    if (linkname === "") return Number(size);
    const target = this.#sizes.get(linkname);
    if (target === undefined) {
      throw invalid(`hard link ${JSON.stringify(path)} to ${JSON.stringify(linkname)}, which is no file before it`);
    }
    return target;
  }
}

/**
 * BuildKit's clients send no change times. In their place stands the modification time, and in that of the inode its nanoseconds that a
 * number of milliseconds has no room for: a file is taken as unchanged when size and time are, as BuildKit's receiver does.
 */
function lineOf(stat: Stat, type: "f" | "d" | "l", size: number): ContextEntryLine {
  const milliseconds = Number(stat.modTime / 1_000_000n);
  return {
    p: Buffer.from(stat.path, "utf8").toString("latin1"),
    t: type,
    m: permissionBits(stat.mode),
    s: size,
    mt: milliseconds,
    ct: milliseconds,
    i: Math.abs(Number(stat.modTime % 1_000_000n)),
    ...(type === "l" ? { l: Buffer.from(stat.linkname, "utf8").toString("latin1") } : {}),
  };
}

function invalid(reason: string): InvalidParameterError {
  return new InvalidParameterError(`invalid build context: ${reason}`);
}
