import { afterAll, beforeAll, expect, test } from "bun:test";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "./command.ts";
import { diskUsage } from "./disk-usage.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-du-"));
  mkdirSync(join(directory, "sub/deep"), { recursive: true });
  writeFileSync(join(directory, "sub/file"), Buffer.alloc(10_000));
  linkSync(join(directory, "sub/file"), join(directory, "sub/deep/same"));
  writeFileSync(join(directory, "sparse"), "");
  truncateSync(join(directory, "sparse"), 1_000_000);
  symlinkSync("/usr", join(directory, "link"));
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0xfe])]), "abc");
});
afterAll(() => rmSync(directory, { recursive: true }));

test("diskUsage() agrees with du", async () => {
  const usage = await diskUsage(directory);
  const blocks = await runCommand("du", ["-s", "--block-size=1", directory]);
  const inodes = await runCommand("du", ["-s", "--inodes", directory]);
  expect(usage.allocatedBytes).toBe(Number.parseInt(blocks.stdout, 10));
  expect(usage.inodes).toBe(Number.parseInt(inodes.stdout, 10));
  expect(usage.apparentBytes).toBe(10_000 + 1_000_000 + 3);
});

test("diskUsage() of nothing is zero", async () => {
  expect(await diskUsage(join(directory, "none"))).toEqual({ apparentBytes: 0, allocatedBytes: 0, inodes: 0 });
});
