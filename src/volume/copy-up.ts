import { closeSync, constants } from "node:fs";
import { access, readdir, rm, stat, writeFile } from "node:fs/promises";
import { errorCode } from "#errors/errors.ts";
import { RootDirectory } from "#sys/beneath.ts";
import { runCommand } from "#sys/command.ts";
import { O_PATH } from "#sys/open-flags.ts";

/**
 * Fills an empty volume with what an image has at `imagePath`: contents, and owner, mode and times of the directory itself. The marker file says that a
 * copy is under way: one that a crash cut short is thrown away and made again, instead of passing for the user's data.
 *
 * `cp --archive` keeps owners, modes, times, xattrs, hard links, devices, sparse files and symlinks (never followed), and reflinks
 * where the file system can.
 */
export async function copyUp(dataDirectory: string, marker: string, rootfs: string, imagePath: string): Promise<void> {
  if (await exists(marker)) await emptyDirectory(dataDirectory);
  else if ((await readdir(dataDirectory)).length > 0) return;
  await writeFile(marker, "", { mode: 0o600 });
  await copyFromImage(dataDirectory, rootfs, imagePath);
  await rm(marker, { force: true });
}

/**
 * The same for a part of a volume, which its caller holds open: nothing happens unless it is an empty directory. There is no marker: a crash in the middle
 * leaves part of a copy, as the rest of the volume, which may be in use, says nothing about this part.
 */
export async function copyUpPart(part: string, rootfs: string, imagePath: string): Promise<void> {
  if (!(await stat(part)).isDirectory() || (await readdir(part)).length > 0) return;
  await copyFromImage(part, rootfs, imagePath);
}

async function copyFromImage(dataDirectory: string, rootfs: string, imagePath: string): Promise<void> {
  using root = new RootDirectory(rootfs);
  if (!root.stat(imagePath)?.isDirectory()) return;
  const source = root.open(imagePath, O_PATH | constants.O_DIRECTORY);
  if (source === undefined) return;
  try {
    // The descriptor by its path in /proc: cp starts from what was resolved here, whatever the names mean by then.
    await runCommand("cp", ["--archive", "--", `/proc/${process.pid}/fd/${source}/.`, dataDirectory]);
  } catch (error) {
    await emptyDirectory(dataDirectory);
    throw error;
  } finally {
    closeSync(source);
  }
}

async function emptyDirectory(directory: string): Promise<void> {
  for (const name of await readdir(directory, { encoding: "buffer" })) {
    await rm(Buffer.concat([Buffer.from(`${directory}/`), name]), { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}
