import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountsBelow } from "./mount-info.ts";
import { mountPrivateTmpfs, unmountAllBelow } from "./private-tmpfs.ts";

test("mountPrivateTmpfs() is memory that is not swapped, for its user alone, and leaves nothing", async () => {
  const directory = mkdtempSync(join(tmpdir(), "berth-tmpfs-"));
  try {
    const tmpfs = mountPrivateTmpfs(join(directory, "a"));
    writeFileSync(join(tmpfs.path, "file"), "x");
    expect(statSync(tmpfs.path).mode & 0o777).toBe(0o700);
    const [mount] = mountsBelow(directory);
    expect(mount).toMatchObject({ type: "tmpfs", mountPoint: join(directory, "a") });
    expect(mount?.superOptions).toContain("noswap");
    expect(mount?.options).toEqual(expect.arrayContaining(["nosuid", "nodev", "noexec"]));
    await tmpfs[Symbol.asyncDispose]();
    expect(existsSync(tmpfs.path)).toBe(false);

    mountPrivateTmpfs(join(directory, "left"));
    await unmountAllBelow(directory);
    expect(mountsBelow(directory)).toEqual([]);
  } finally {
    await unmountAllBelow(directory);
    rmSync(directory, { recursive: true, force: true });
  }
});
