import { closeSync, constants } from "node:fs";
import { access, readdir, rm, writeFile } from "node:fs/promises";
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
  using root = new RootDirectory(rootfs);
  if (!root.stat(imagePath)?.isDirectory()) return rm(marker, { force: true });
  const source = root.open(imagePath, O_PATH | constants.O_DIRECTORY);
  if (source === undefined) return rm(marker, { force: true });
  await writeFile(marker, "", { mode: 0o600 });
  try {
    // The descriptor by its path in /proc: cp starts from what was resolved here, whatever the names mean by then.
    await runCommand("cp", ["--archive", "--", `/proc/${process.pid}/fd/${source}/.`, dataDirectory]);
  } catch (error) {
    await emptyDirectory(dataDirectory);
    throw error;
  } finally {
    closeSync(source);
  }
  await rm(marker, { force: true });
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
