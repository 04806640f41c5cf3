import { BLOCK, DIRENT_SIZE } from "./erofs-format.ts";

/** One name in a directory: latin1, with what the entry says of its inode. */
export interface DirectoryName {
  readonly name: string;
  readonly nid: number;
  readonly fileType: number;
}

/**
 * Bytes that a directory with these names takes. `names` must be in byte order and include "." and "..": the kernel finds a name by
 * binary search over the blocks and then inside one.
 */
export function directorySize(names: readonly string[]): number {
  let blocks = 0;
  let used = 0;
  for (const name of names) {
    const need = DIRENT_SIZE + name.length;
    if (used + need > BLOCK) {
      blocks++;
      used = 0;
    }
    used += need;
  }
  return blocks * BLOCK + used;
}

/** Writes the directory at `offset`. Each block is an array of dirents, then their names; the first `nameoff` tells how many. */
export function writeDirectory(bytes: Buffer, offset: number, names: readonly DirectoryName[]): void {
  let start = 0;
  let block = offset;
  while (start < names.length) {
    let end = start;
    let used = 0;
    for (; end < names.length; end++) {
      const need = DIRENT_SIZE + (names[end]?.name.length ?? 0);
      if (used + need > BLOCK) break;
      used += need;
    }
    writeBlock(bytes, block, names.slice(start, end));
    start = end;
    block += BLOCK;
  }
}

function writeBlock(bytes: Buffer, block: number, names: readonly DirectoryName[]): void {
  let dirent = block;
  let nameAt = names.length * DIRENT_SIZE;
  for (const { name, nid, fileType } of names) {
    bytes.writeUInt32LE(nid, dirent);
    bytes.writeUInt16LE(nameAt, dirent + 8);
    bytes[dirent + 10] = fileType;
    bytes.write(name, block + nameAt, "latin1");
    dirent += DIRENT_SIZE;
    nameAt += name.length;
  }
}
