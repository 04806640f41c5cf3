import { InvalidParameterError } from "#errors/errors.ts";
import type { SparseSegment } from "#formats/tar/tar-entry.ts";
import { type DirectoryName, directorySize, writeDirectory } from "./erofs-directory.ts";
import {
  BLOCK,
  encodeDevice,
  FLAT_INLINE,
  FLAT_PLAIN,
  FT,
  INODE_SIZE,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  SLOT,
  writeSuperblock,
} from "./erofs-format.ts";
import { OPAQUE_XATTR, XATTR_HEADER } from "./erofs-xattrs.ts";
import type { Inode, InodeType, LayerTree } from "./layer-tree.ts";

/** Where the index will lie: all offsets are bytes from the start of the layer file. */
export interface IndexPlace {
  /** Where the tar begins; a multiple of 512. */
  readonly tarOffset: number;
  readonly tarSize: number;
  /** 16 bytes that identify the filesystem. */
  readonly uuid: Uint8Array;
}

/** A sparse file to be laid out behind the tar: its pieces lie one after the other in the tar. */
export interface SparseCopy {
  /** Where the pieces begin, from the start of the layer file. */
  readonly from: number;
  /** Where the file begins, from the start of the layer file. What is not copied stays a hole. */
  readonly to: number;
  /** Bytes of the file, holes and all. */
  readonly size: number;
  readonly segments: readonly SparseSegment[];
}

/** Everything that must be written around a tar so that the kernel can mount it. */
export interface ErofsIndex {
  /** The block for SUPERBLOCK_OFFSET. */
  readonly superblock: Uint8Array;
  readonly sparseCopies: readonly SparseCopy[];
  readonly metadataOffset: number;
  readonly metadata: Uint8Array;
  /** Bytes of the whole file. */
  readonly fileSize: number;
  /** Sum of the sizes of all regular files and of what symbolic links say, each counted once: a layer's size in Docker. */
  readonly contentSize: number;
  readonly inodes: number;
}

/** The kernel reads the backing file in pages. */
const FILE_ALIGNMENT = 4096;
/** 32-bit block addresses; the last one is the kernel's "no address". */
const MAX_BLOCKS = 0xffff_fffe;

const FORMAT_BITS: Readonly<Record<InodeType, number>> = {
  file: S_IFREG,
  directory: S_IFDIR,
  symlink: S_IFLNK,
  "char-device": S_IFCHR,
  "block-device": S_IFBLK,
  fifo: S_IFIFO,
  // overlayfs takes a character device 0:0 for "deleted here".
  whiteout: S_IFCHR,
};

/** An inode with its place in the metadata zone. */
interface Placed {
  readonly inode: Inode;
  /** The directory's parent (itself for the root); of no meaning for others. */
  readonly parent: Placed | undefined;
  readonly names: readonly string[];
  readonly number: number;
  readonly xattrs: Uint8Array;
  links: number;
  offset: number;
  size: number;
  /** Directories and symbolic links: whether the data lies right behind the inode. */
  inline: boolean;
  /** Where the data lies, from the start of the metadata zone (own data) or of the file (a file's). */
  dataOffset: number;
}

/**
 * Turns a layer's tree into EROFS metadata that points into the tar. Pure and deterministic: the same tar gives the same bytes,
 * so that the index of a stored layer can be verified by building it again. Throws InvalidParameterError for a layer beyond
 * the format's 2 TiB.
 */
export function buildErofsIndex(tree: LayerTree, place: IndexPlace): ErofsIndex {
  const inodes = collect(tree.root);
  const { sparseCopies, end } = placeSparseFiles(inodes.all, place);
  const metadataOffset = end;
  const metadata = Buffer.alloc(placeMetadata(inodes.all, FILE_ALIGNMENT - (metadataOffset % FILE_ALIGNMENT)));
  writeMetadata(inodes, metadata, metadataOffset);
  const fileSize = metadataOffset + metadata.length;
  if (fileSize / BLOCK > MAX_BLOCKS) throw new InvalidParameterError("invalid layer: larger than the limit of 2 TiB");
  const superblock = writeSuperblock({
    rootNid: nidOf(inodes.root),
    inodes: inodes.all.length,
    blocks: fileSize / BLOCK,
    metadataBlock: metadataOffset / BLOCK,
    uuid: place.uuid,
  });
  const contentSize = inodes.all.reduce((sum, { inode }) => sum + contentSizeOf(inode), 0);
  return { superblock, sparseCopies, metadataOffset, metadata, fileSize, contentSize, inodes: inodes.all.length };
}

const NO_NAMES: readonly string[] = [];

interface Collected {
  readonly root: Placed;
  readonly all: readonly Placed[];
  readonly byInode: ReadonlyMap<Inode, Placed>;
}

/** Every inode once, the children of a directory side by side: `ls -l` then reads neighbouring blocks. The root is the first. */
function collect(root: Inode): Collected {
  const byInode = new Map<Inode, Placed>();
  const all: Placed[] = [];
  const place = (inode: Inode, parent: Placed | undefined): Placed => {
    const placed: Placed = {
      inode,
      parent,
      names: inode.children ? [".", "..", ...inode.children.keys()].sort() : NO_NAMES,
      number: all.length + 1,
      xattrs: inode.opaque ? Buffer.concat([OPAQUE_XATTR, inode.xattrs]) : inode.xattrs,
      links: inode.children ? 2 : 0,
      offset: 0,
      size: inode.size,
      inline: false,
      dataOffset: 0,
    };
    byInode.set(inode, placed);
    all.push(placed);
    return placed;
  };
  const top = place(root, undefined);
  const pending = [top];
  for (let directory = pending.pop(); directory; directory = pending.pop()) {
    for (const name of directory.names) {
      const child = directory.inode.children?.get(name);
      if (!child) continue;
      const known = byInode.get(child);
      const placed = known ?? place(child, directory);
      if (child.children) {
        directory.links++;
        pending.push(placed);
      } else {
        placed.links++;
      }
    }
  }
  return { root: top, all, byInode };
}

/** Gives each file its data address: in the tar, or for a sparse one in the zone behind the tar. */
function placeSparseFiles(
  all: readonly Placed[],
  { tarOffset, tarSize }: IndexPlace,
): { readonly sparseCopies: readonly SparseCopy[]; readonly end: number } {
  const sparseCopies: SparseCopy[] = [];
  let end = aligned(tarOffset + tarSize, BLOCK);
  for (const placed of all) {
    const { inode } = placed;
    if (inode.type !== "file") continue;
    placed.dataOffset = tarOffset + inode.dataOffset;
    if (!inode.sparse || isWhole(inode.sparse, inode.size)) continue;
    sparseCopies.push({ from: placed.dataOffset, to: end, size: inode.size, segments: inode.sparse });
    placed.dataOffset = end;
    end = aligned(end + inode.size, BLOCK);
    if (end / BLOCK > MAX_BLOCKS) throw new InvalidParameterError("invalid layer: larger than the limit of 2 TiB");
  }
  return { sparseCopies, end };
}

function isWhole(segments: readonly SparseSegment[], size: number): boolean {
  return segments.length === 1 && segments[0]?.offset === 0 && segments[0].length === size;
}

/**
 * Gives each inode its offset in the metadata zone, and directories and link targets that are too long to lie behind their
 * inode blocks at the end. Returns the zone's size; `phase` is the distance from the zone's start to the next page of the file.
 */
function placeMetadata(all: readonly Placed[], phase: number): number {
  // Slot 0 stays empty: inode number 0 means "no file" to programs that read directories.
  let at = INODE_SIZE;
  for (const placed of all) {
    const { inode } = placed;
    if (inode.type === "directory") placed.size = directorySize(placed.names);
    const own = INODE_SIZE + xattrBytes(placed);
    const canInline = (inode.type === "directory" || inode.type === "symlink") && inlineFits(own, placed.size);
    at = aligned(at, SLOT);
    // Neither the inode nor data behind it may cross a block: the kernel refuses the latter.
    if (canInline ? !fitsBlock(at, own, placed.size) : !fitsBlock(at, INODE_SIZE, 0)) at = aligned(at, BLOCK);
    placed.offset = at;
    placed.inline = canInline;
    at += own + (canInline ? placed.size : 0);
  }
  for (const placed of all) {
    const { inode } = placed;
    if (placed.inline || (inode.type !== "directory" && inode.type !== "symlink")) continue;
    placed.dataOffset = at = aligned(at, BLOCK);
    at += placed.size;
  }
  return aligned(Math.max(at - phase, 0), FILE_ALIGNMENT) + phase;
}

function contentSizeOf(inode: Inode): number {
  if (inode.type === "file") return inode.size;
  return inode.type === "symlink" ? inode.target.length : 0;
}

/** Whether data of `size` fits behind an inode of `own` bytes that begins a block. */
function inlineFits(own: number, size: number): boolean {
  return (own % BLOCK) + size <= BLOCK;
}

/** Whether, with the inode at `at`, the inode itself and the data behind its `own` bytes each stay inside one block. */
function fitsBlock(at: number, own: number, size: number): boolean {
  return (at % BLOCK) + INODE_SIZE <= BLOCK && ((at + own) % BLOCK) + size <= BLOCK;
}

function xattrBytes({ xattrs }: Placed): number {
  return xattrs.length === 0 ? 0 : XATTR_HEADER + xattrs.length;
}

function writeMetadata(inodes: Collected, metadata: Buffer, metadataOffset: number): void {
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.length);
  for (const placed of inodes.all) {
    const own = INODE_SIZE + xattrBytes(placed);
    const isOwnData = placed.inode.type === "directory" || placed.inode.type === "symlink";
    const start = placed.inline ? placed.offset + own : placed.dataOffset;
    writeInode(view, placed, isOwnData && !placed.inline ? metadataOffset + start : placed.dataOffset);
    if (placed.xattrs.length > 0) metadata.set(placed.xattrs, placed.offset + INODE_SIZE + XATTR_HEADER);
    if (placed.inode.type === "directory") writeDirectory(metadata, start, directoryNames(placed, inodes.byInode));
    if (placed.inode.type === "symlink") metadata.write(placed.inode.target, start, "latin1");
  }
}

function writeInode(view: DataView, placed: Placed, dataOffset: number): void {
  const { inode, offset } = placed;
  const isDevice = inode.type === "char-device" || inode.type === "block-device";
  const hasData = placed.size > 0 && !placed.inline && !isDevice;
  view.setUint16(offset, placed.inline ? FLAT_INLINE : FLAT_PLAIN, true);
  view.setUint16(offset + 2, placed.xattrs.length === 0 ? 0 : 1 + placed.xattrs.length / 4, true);
  view.setUint16(offset + 4, FORMAT_BITS[inode.type] | inode.mode, true);
  setInt64(view, offset + 8, placed.size);
  view.setUint32(
    offset + 16,
    isDevice ? encodeDevice(inode.major, inode.minor) : hasData ? dataOffset / BLOCK : 0,
    true,
  );
  view.setUint32(offset + 20, placed.number, true);
  view.setUint32(offset + 24, inode.uid, true);
  view.setUint32(offset + 28, inode.gid, true);
  setInt64(view, offset + 32, inode.mtime.seconds);
  view.setUint32(offset + 40, inode.mtime.nanoseconds, true);
  view.setUint32(offset + 44, placed.links, true);
}

/** Little-endian two's complement, without a BigInt for each of a million inodes. */
function setInt64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value, true);
  view.setInt32(offset + 4, Math.floor(value / 2 ** 32), true);
}

function directoryNames(placed: Placed, byInode: ReadonlyMap<Inode, Placed>): DirectoryName[] {
  return placed.names.map((name) => {
    const child = name === "." ? placed : name === ".." ? (placed.parent ?? placed) : childOf(placed, name, byInode);
    return { name, nid: nidOf(child), fileType: FT[FORMAT_BITS[child.inode.type]] ?? 0 };
  });
}

function childOf(placed: Placed, name: string, byInode: ReadonlyMap<Inode, Placed>): Placed {
  const inode = placed.inode.children?.get(name);
  return (inode && byInode.get(inode)) ?? placed;
}

function nidOf({ offset }: Placed): number {
  return offset / SLOT;
}

function aligned(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
