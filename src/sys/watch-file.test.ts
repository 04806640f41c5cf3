import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemCallError } from "./libc.ts";
import { watchDirectory, watchFile } from "./watch-file.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-watch-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Waits for what the kernel announces; what does not come in ten seconds does not come. */
async function until(isSo: () => boolean): Promise<void> {
  for (let waited = 0; waited < 10_000 && !isSo(); waited++) await pause(1);
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe("watchFile()", () => {
  test("announces each append", async () => {
    const path = join(directory, "log");
    writeFileSync(path, "");
    let announced = 0;
    using _watch = watchFile(path, () => announced++);
    for (let round = 1; round <= 20; round++) {
      const before = announced;
      appendFileSync(path, "line\n");
      await until(() => announced > before);
      expect(announced).toBeGreaterThan(before);
    }
  });

  test("announces the last of several appends from another process", async () => {
    const path = join(directory, "log");
    // Bursts with gaps below a millisecond are what Bun's own fs.watch loses.
    const writer = `for (let i = 0; i < 5; i++) {
      require("node:fs").appendFileSync(process.argv[1], "line\\n");
      const end = performance.now() + Math.random(); while (performance.now() < end);
    }`;
    for (let round = 0; round < 15; round++) {
      writeFileSync(path, "");
      let seen = 0;
      using _watch = watchFile(path, () => {
        seen = statSync(path).size;
      });
      const child = Bun.spawn([process.execPath, "-e", writer, path]);
      await child.exited;
      await until(() => seen === 25);
      expect(seen).toBe(25);
    }
  });

  test("announces renaming and deletion, and stops when disposed", async () => {
    const path = join(directory, "log");
    writeFileSync(path, "");
    let announced = 0;
    const watch = watchFile(path, () => announced++);
    renameSync(path, `${path}.1`);
    await until(() => announced > 0);
    expect(announced).toBe(1);
    watch[Symbol.dispose]();
    appendFileSync(`${path}.1`, "x");
    await pause(10);
    expect(announced).toBe(1);
    const again = watchFile(`${path}.1`, () => announced++);
    rmSync(`${path}.1`);
    await until(() => announced > 1);
    expect(announced).toBeGreaterThan(1);
    again[Symbol.dispose]();
    again[Symbol.dispose]();
  });

  test("serves two watchers of one file, and one of its directory", async () => {
    const path = join(directory, "log");
    writeFileSync(path, "");
    const calls = { first: 0, second: 0, names: [] as string[] };
    const first = watchFile(path, () => calls.first++);
    using _second = watchFile(path, () => calls.second++);
    using _directory = watchDirectory(directory, (name) => calls.names.push(name));
    appendFileSync(path, "x");
    await until(() => calls.first + calls.second + calls.names.length === 3);
    first[Symbol.dispose]();
    const before = calls.first;
    appendFileSync(path, "x");
    await until(() => calls.second + calls.names.length === 4);
    expect(before).toBe(1);
    expect(calls).toEqual({ first: 1, second: 2, names: ["log", "log"] });
  });

  test("refuses a file that does not exist", () => {
    expect(() => watchFile(join(directory, "none"), () => undefined)).toThrow(SystemCallError);
    expect(() => watchFile(join(directory, "none"), () => undefined)).toThrow(/none": no such file.*ENOENT/);
  });
});

describe("watchDirectory()", () => {
  test("loses no name when 1,000 files are created and renamed", async () => {
    const names = new Set<string>();
    using _watch = watchDirectory(directory, (name) => names.add(name));
    for (let file = 0; file < 1000; file++) {
      writeFileSync(join(directory, `.tmp-${file}`), "");
      renameSync(join(directory, `.tmp-${file}`), join(directory, `exit-${file}`));
    }
    await until(() => names.has("exit-999"));
    for (let file = 0; file < 1000; file++) expect(names.has(`exit-${file}`)).toBe(true);
  });

  test("names everything in the directory after the kernel's queue ran over", async () => {
    // In memory, as it takes more events than fs.inotify.max_queued_events, 16,384 by default; nothing reads during the loop.
    const busy = mkdtempSync("/dev/shm/berth-watch-");
    const names = new Set<string>();
    const watch = watchDirectory(busy, (name) => names.add(name));
    writeFileSync(join(busy, "a"), "");
    for (let round = 0; round < 5000; round++) {
      renameSync(join(busy, "a"), join(busy, "b"));
      renameSync(join(busy, "b"), join(busy, "a"));
    }
    writeFileSync(join(busy, "last"), "");
    await pause(50);
    watch[Symbol.dispose]();
    rmSync(busy, { recursive: true });
    expect(names.has("last")).toBe(true);
  });
});
