import { expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PackFile } from "./pack-file.ts";

test("PackFile.read() of a closed pack fails, whatever file has its descriptor by now", async () => {
  const directory = mkdtempSync("/tmp/berth-pack-");
  const pack = PackFile.createAnonymous(join(directory, "pack"));
  {
    await using appender = await pack.appender();
    await appender.write(Buffer.from("content"));
    appender.commit();
  }
  expect(pack.read(0, 7).toString()).toBe("content");
  pack.release();
  writeFileSync(join(directory, "other"), "another file's");
  const reused = openSync(join(directory, "other"), "r");
  try {
    expect(() => pack.read(0, 7)).toThrow("is closed: its build has ended");
  } finally {
    closeSync(reused);
    rmSync(directory, { recursive: true });
  }
});
