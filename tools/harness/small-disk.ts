import { mkdirSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./child.ts";

/** An ext4 disk of so many mebibytes in a file, mounted at `path` below a directory of its own; gone when disposed. */
export async function makeSmallDisk(
  mebibytes: number,
): Promise<AsyncDisposable & { readonly directory: string; readonly path: string; free(): number }> {
  const directory = mkdtempSync(join(tmpdir(), "berth-disk-"));
  const image = join(directory, "image");
  const path = join(directory, "data");
  mkdirSync(path);
  await mustRun("truncate", "--size", `${mebibytes}M`, image);
  await mustRun("mkfs.ext4", "-q", "-m", "0", image);
  await mustRun("mount", "-o", "loop", image, path);
  return {
    directory,
    path,
    free: () => {
      const { bavail, bsize } = statfsSync(path);
      return bavail * bsize;
    },
    [Symbol.asyncDispose]: async () => {
      await mustRun("umount", path);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function mustRun(program: string, ...args: string[]): Promise<void> {
  const { exitCode, stderr } = await run(program, args);
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}: ${stderr}`);
}
