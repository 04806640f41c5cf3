import type { Digest } from "#spec/digest.ts";
import type { ContextEntry } from "../builder.ts";

/** An entry of a build context whose content lies in a pack file. */
export interface StoredEntry extends ContextEntry {
  /** Where the content begins in the pack, bytes. 0 unless a file. */
  readonly offset: number;
  /** Change time, ms since the epoch, and inode: with size and mtime they tell that content cannot have changed. */
  readonly ctime: number;
  readonly inode: number;
}

/** A regular file, which always has a digest. */
export interface StoredFile extends StoredEntry {
  readonly type: "file";
  readonly digest: Digest;
}

export function isStoredFile(entry: StoredEntry): entry is StoredFile {
  return entry.type === "file" && entry.digest !== undefined;
}

/** Bytes of content that `entries` need; content that several share counts once. */
export function liveBytes(entries: readonly StoredEntry[]): number {
  const seen = new Set<number>();
  let bytes = 0;
  for (const { offset, size } of entries) {
    if (size === 0 || seen.has(offset)) continue;
    seen.add(offset);
    bytes += size;
  }
  return bytes;
}
