import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "./command.ts";
import { tryLockFile } from "./flock.ts";

test("tryLockFile() gives one holder at a time, and frees the lock when disposed", () => {
  const directory = mkdtempSync(join(tmpdir(), "berth-flock-"));
  try {
    const path = join(directory, "lock");
    const held = tryLockFile(path);
    expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
    expect(tryLockFile(path)).toBeUndefined();
    held?.[Symbol.dispose]();
    held?.[Symbol.dispose]();
    using again = tryLockFile(path);
    expect(again?.path).toBe(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("tryLockFile() does not pass the lock on to children", async () => {
  const directory = mkdtempSync(join(tmpdir(), "berth-flock-"));
  const path = join(directory, "lock");
  const held = tryLockFile(path);
  const child = startChild("sleep", ["5"]);
  try {
    // Between fork and exec the child has every descriptor: only then is the lock closed in it.
    while (readlinkSync(`/proc/${child.pid}/exe`) === readlinkSync("/proc/self/exe")) await Bun.sleep(1);
    held?.[Symbol.dispose]();
    using again = tryLockFile(path);
    expect(again).toBeDefined();
  } finally {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true });
  }
});

test("tryLockFile() is freed by the kernel when its holder is killed", async () => {
  const directory = mkdtempSync(join(tmpdir(), "berth-flock-"));
  try {
    const path = join(directory, "lock");
    const program = `import { tryLockFile } from ${JSON.stringify(join(import.meta.dirname, "flock.ts"))};
      globalThis.lock = tryLockFile(${JSON.stringify(path)}); console.log("held"); setInterval(() => {}, 1000);`;
    const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
    await child.stdout.getReader().read();
    expect(tryLockFile(path)).toBeUndefined();
    child.kill("SIGKILL");
    await child.exited;
    using again = tryLockFile(path);
    expect(again).toBeDefined();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
