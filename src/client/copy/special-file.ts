import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { errorMessage, SystemError } from "#errors/errors.ts";
import type { TarEntry } from "#formats/tar/tar-entry.ts";

const run = promisify(execFile);

/** Makes a fifo or device node with mknod(1): a client does not talk to the kernel itself. Throws SystemError. */
export async function makeSpecialFile(path: string, { type, major, minor }: TarEntry): Promise<void> {
  const device = type === "fifo" ? ["p"] : [type === "block-device" ? "b" : "c", String(major), String(minor)];
  try {
    await run("mknod", ["-m", "600", "--", path, ...device]);
  } catch (cause) {
    throw new SystemError(`cannot make "${path}": ${errorMessage(cause)}`, { cause });
  }
}
