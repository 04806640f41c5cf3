import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { errorCode, errorMessage } from "#errors/errors.ts";
import { mountFileSystem, unmount } from "./mount.ts";

/**
 * Tries, in a directory of its own below `directory`, what layers need: two EROFS images mounted from plain files, and an overlay
 * of them. Returns undefined when it works, else what failed and which kernel is needed. A trial, because a version number says
 * nothing of how a kernel was configured, nor whether this process may mount.
 */
export async function layerMountProblem(directory: string): Promise<string | undefined> {
  const base = join(directory, `.probe-${process.pid}`);
  const places = {
    image: join(base, "image"),
    first: join(base, "1"),
    second: join(base, "2"),
    root: join(base, "root"),
  };
  try {
    mkdirSync(base, { recursive: true });
    writeFileSync(places.image, smallestErofs());
    for (const place of [places.first, places.second, places.root]) mkdirSync(place);
    mountFileSystem("erofs", places.image, places.first, [], ["readOnly"]);
    mountFileSystem("erofs", places.image, places.second, [], ["readOnly"]);
    const lowers = [places.first, places.second].map((path) => ["lowerdir+", path] as const);
    mountFileSystem("overlay", "overlay", places.root, lowers, ["readOnly"]);
    return undefined;
  } catch (error) {
    // A full disk says nothing of the kernel, and an engine must start on it: how else could anything be removed?
    if (errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT") return undefined;
    return (
      `layers in ${directory} cannot be mounted on kernel ${release()}: ${errorMessage(error)}; EROFS mounts from files need root, ` +
      "Linux 6.12 or later with CONFIG_EROFS_FS_BACKED_BY_FILE and overlayfs, and a data root on a disk's file system such as ext4 or xfs, not on tmpfs"
    );
  } finally {
    for (const place of [places.root, places.second, places.first]) await unmount(place);
    rmSync(base, { recursive: true, force: true });
  }
}

const BLOCK = 512;
const SUPERBLOCK = 1024;
const ROOT_INODE_BLOCK = 4;
const ROOT_DATA_BLOCK = 5;

/**
 * An EROFS image with nothing but an empty root directory, with the 512-byte blocks that layers have.
 * https://docs.kernel.org/filesystems/erofs.html#on-disk-details
 */
function smallestErofs(): Uint8Array {
  const image = Buffer.alloc(8 * BLOCK);
  image.writeUInt32LE(0xe0f5_e1e2, SUPERBLOCK); // magic
  image.writeUInt8(9, SUPERBLOCK + 12); // block size, as a power of two
  image.writeBigUInt64LE(1n, SUPERBLOCK + 16); // inodes; the root's number, at 14, is 0
  image.writeUInt32LE(8, SUPERBLOCK + 36); // blocks
  image.writeUInt32LE(ROOT_INODE_BLOCK, SUPERBLOCK + 40); // where inodes begin

  const inode = ROOT_INODE_BLOCK * BLOCK; // compact form, data in whole blocks: format 0
  const names = "...";
  const entries = 2 * 12;
  image.writeUInt16LE(0o040755, inode + 4); // mode
  image.writeUInt16LE(2, inode + 6); // links
  image.writeUInt32LE(entries + names.length, inode + 8); // size
  image.writeUInt32LE(ROOT_DATA_BLOCK, inode + 16); // where its data begin

  const data = ROOT_DATA_BLOCK * BLOCK; // entries: inode number, offset of the name, type 2 for directory
  image.writeUInt16LE(entries, data + 8);
  image.writeUInt8(2, data + 10);
  image.writeUInt16LE(entries + 1, data + 12 + 8);
  image.writeUInt8(2, data + 12 + 10);
  image.write(names, data + entries); // "." and "..", one behind the other
  return image;
}
