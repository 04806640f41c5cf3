import { InvalidParameterError } from "#errors/errors.ts";
import { tarText } from "#formats/tar/tar-entry.ts";
import type { StoredEntry } from "./stored-entry.ts";

const MAX_ENTRIES = 2_000_000;

/**
 * What an archive's entries come to when unpacked in their order: the last of a name wins, missing parents are made, hard links share
 * their target's content. It is a tree in memory, so no name and no link can lead anywhere else.
 */
export class UnpackedEntries {
  readonly #entries = new Map<string, StoredEntry>();

  /** Throws InvalidParameterError when a parent is no directory. */
  add(entry: StoredEntry): void {
    this.#addParents(entry.path);
    const earlier = this.#entries.get(entry.path);
    if (earlier?.type === "directory" && entry.type !== "directory") this.#removeBelow(entry.path);
    this.#entries.set(entry.path, entry);
    if (this.#entries.size > MAX_ENTRIES) {
      throw new InvalidParameterError(`invalid build context: it has more than ${MAX_ENTRIES} entries`);
    }
  }

  /** A hard link: the same file under another name. Throws InvalidParameterError when the target is not there. */
  link(path: string, target: string): void {
    const file = this.#entries.get(target);
    if (!file || file.type === "directory") {
      throw new InvalidParameterError(
        `invalid build context: hard link ${JSON.stringify(tarText(path))} to ${JSON.stringify(tarText(target))}, which is no file before it`,
      );
    }
    this.add({ ...file, path });
  }

  /** Sorted bytewise by path. */
  entries(): readonly StoredEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  #addParents(path: string): void {
    const end = path.lastIndexOf("/");
    if (end < 0) return;
    const parent = path.slice(0, end);
    const known = this.#entries.get(parent);
    if (known?.type === "directory") return;
    if (known) {
      throw new InvalidParameterError(
        `invalid build context: ${JSON.stringify(tarText(path))} lies below ${JSON.stringify(tarText(parent))}, which is no directory`,
      );
    }
    this.#addParents(parent);
    const none = { size: 0, mtime: 0, linkname: "", offset: 0, ctime: 0, inode: 0 };
    this.#entries.set(parent, { path: parent, type: "directory", mode: 0o755, ...none });
  }

  #removeBelow(path: string): void {
    for (const other of this.#entries.keys()) {
      if (other.startsWith(`${path}/`)) this.#entries.delete(other);
    }
  }
}
