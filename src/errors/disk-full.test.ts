import { expect, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import { fullElsewhere, isDiskFull, userMessage } from "./disk-full.ts";
import { NotFoundError, SystemError } from "./errors.ts";

const WAY_OUT = 'make room on the disk of the data root, for example with "berth system prune"';
const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });

test("isDiskFull() knows the kernel's word, SQLite's, and both as a cause", () => {
  using database = new DatabaseSync(":memory:");
  database.exec("PRAGMA max_page_count = 2; CREATE TABLE t (x)");
  let sqlite: unknown;
  try {
    database.exec("INSERT INTO t VALUES (zeroblob(100000))");
  } catch (error) {
    sqlite = error;
  }
  expect([full, sqlite, new SystemError("cannot write layer", { cause: full })].map(isDiskFull)).toEqual([
    true,
    true,
    true,
  ]);
  expect([new Error("x"), new NotFoundError("x"), undefined, "ENOSPC"].some(isDiskFull)).toBe(false);
});

test("userMessage() tells the way out of a full disk, once, and changes nothing else", () => {
  expect(userMessage(full)).toBe(`no space left on device: ${WAY_OUT}`);
  const wrapped = new SystemError("cannot write layer: no space left on device", { cause: full });
  expect(userMessage(wrapped)).toBe(`cannot write layer: no space left on device: ${WAY_OUT}`);
  const again = new SystemError(`failed to solve: ${userMessage(wrapped)}`, { cause: wrapped });
  expect(userMessage(again)).toBe(again.message);
  expect(userMessage(new NotFoundError("No such image: x"))).toBe("No such image: x");
});

test("fullElsewhere() names the disk that is full, and leaves other errors alone", () => {
  expect(userMessage(fullElsewhere("the exec root /run/x", full))).toBe(
    "no space left on device: make room in the exec root /run/x",
  );
  const other = new NotFoundError("x");
  expect(fullElsewhere("the exec root /run/x", other)).toBe(other);
});
