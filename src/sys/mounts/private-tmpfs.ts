import { mkdirSync, rmdirSync } from "node:fs";
import { mountFileSystem, unmount } from "./mount.ts";
import { mountsBelow } from "./mount-info.ts";

/** Room for a bundle and some hundred secrets. */
const SIZE = "256m";

export interface PrivateTmpfs extends AsyncDisposable {
  readonly path: string;
}

/**
 * Makes the directory `path` and mounts a tmpfs there that only this user enters and that is never swapped (tmpfs(5), Linux 6.4): what lies
 * in it never reaches a disk. Disposing it takes mount and directory away. Throws SystemCallError, Node's system errors.
 */
export function mountPrivateTmpfs(path: string): PrivateTmpfs {
  mkdirSync(path, { mode: 0o700 });
  try {
    const options = [["mode", "0700"], ["size", SIZE], ["noswap"]] as const;
    mountFileSystem("tmpfs", "berth", path, options, ["noSetUid", "noDevices", "noExecute"]);
  } catch (error) {
    rmdirSync(path);
    throw error;
  }
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await unmount(path);
      rmdirSync(path);
    },
  };
}

/** Takes away all that is mounted below `directory`, the inner ones first, but for what is kept: what a crash left. */
export async function unmountAllBelow(
  directory: string,
  isKept: (mountPoint: string) => boolean = () => false,
): Promise<void> {
  const points = mountsBelow(directory).flatMap(({ mountPoint }) => (isKept(mountPoint) ? [] : [mountPoint]));
  for (const point of points.toReversed()) if (point !== directory) await unmount(point);
}
