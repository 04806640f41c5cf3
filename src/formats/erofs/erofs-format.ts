import { crc32c } from "./crc32c.ts";

/**
 * The parts of EROFS that a layer file uses. https://docs.kernel.org/filesystems/erofs.html and the kernel's
 * fs/erofs/erofs_fs.h, whose structures these offsets are. All numbers are little-endian.
 */
const BLOCK_BITS = 9;
/** 512 as in tar, so that a file's data in the tar is block-aligned where it lies. */
export const BLOCK: number = 1 << BLOCK_BITS;
export const SUPERBLOCK_OFFSET = 1024;
export const SLOT = 32;
export const INODE_SIZE = 64;
export const DIRENT_SIZE = 12;

/** `i_format`: bit 0 says "extended inode", the bits above are the data layout. */
export const FLAT_PLAIN: number = 1 | (0 << 1);
export const FLAT_INLINE: number = 1 | (2 << 1);

const MAGIC = 0xe0f5e1e2;
const COMPAT_CHECKSUM = 1;

export const S_IFREG = 0o100000;
export const S_IFDIR = 0o040000;
export const S_IFLNK = 0o120000;
export const S_IFCHR = 0o020000;
export const S_IFBLK = 0o060000;
export const S_IFIFO = 0o010000;

/** File types in directory entries: `FT_*` of the kernel's fs_types.h. */
export const FT: Readonly<Record<number, number>> = {
  [S_IFREG]: 1,
  [S_IFDIR]: 2,
  [S_IFCHR]: 3,
  [S_IFBLK]: 4,
  [S_IFIFO]: 5,
  [S_IFLNK]: 7,
};

/** The kernel's `new_encode_dev`. */
export function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

export interface Superblock {
  readonly rootNid: number;
  readonly inodes: number;
  /** Size of the whole file in blocks. */
  readonly blocks: number;
  /** Where the metadata zone begins, in blocks. */
  readonly metadataBlock: number;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
}

/** The block at {@link SUPERBLOCK_OFFSET}, with its checksum. */
export function writeSuperblock(superblock: Superblock): Uint8Array {
  const bytes = new Uint8Array(BLOCK);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(8, COMPAT_CHECKSUM, true);
  view.setUint8(12, BLOCK_BITS);
  view.setUint16(14, superblock.rootNid, true);
  view.setBigUint64(16, BigInt(superblock.inodes), true);
  view.setUint32(36, superblock.blocks, true);
  view.setUint32(40, superblock.metadataBlock, true);
  bytes.set(superblock.uuid.subarray(0, 16), 48);
  bytes.set(Buffer.from("berth-layer"), 64);
  // The kernel sums the whole block with the checksum field still zero.
  view.setUint32(4, crc32c(0xffffffff, bytes), true);
  return bytes;
}
