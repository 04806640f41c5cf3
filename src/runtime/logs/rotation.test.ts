import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogRotator } from "./rotation.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-rotation-"));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("LogRotator tries again when a log cannot be rotated", async () => {
  const log = join(directory, "container.log");
  const obstacle = `${log}.1`;
  mkdirSync(join(obstacle, "full"), { recursive: true });
  writeFileSync(log, "");
  const reopened = Promise.withResolvers<void>();
  const rotator = new LogRotator(() => {
    reopened.resolve();
    return false;
  });
  rotator.watch("a", log, { maxSize: 10, maxFile: 2, compress: false });
  appendFileSync(log, "more than ten bytes\n");
  // The first try comes up to 20 ms after the write.
  await Promise.race([reopened.promise, new Promise((resolve) => setTimeout(resolve, 60))]);
  expect(existsSync(log)).toBe(true);
  rmSync(obstacle, { recursive: true });
  await reopened.promise;
  expect(existsSync(log)).toBe(false);
  rotator.close();
});
