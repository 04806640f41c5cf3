import { expect, test } from "bun:test";
import { execLimits } from "./limits.ts";

const CORE = { type: "RLIMIT_CORE", soft: 0, hard: 0 };
const FILES = { type: "RLIMIT_NOFILE", soft: 1000, hard: 2000 };
const program = (version: string) => ({ kind: "runc", version }) as const;

test("execLimits() keeps the soft limit from a runc that would lose it, where the hard one can follow", () => {
  const old = execLimits(program("1.1.5+ds1"), [CORE, FILES], true);
  expect(old.rlimits).toEqual([CORE, { ...FILES, hard: 1000 }]);
  expect(old.onStart).toBeDefined();
  const weak = execLimits(program("1.1.5"), [CORE, FILES], false);
  expect(weak.rlimits).toEqual([CORE, FILES]);
  expect(weak.onStart).toBeDefined();
});

test("execLimits() leaves all to runtimes that do it right, and limits that are one", () => {
  expect(execLimits(program("1.1.13"), [FILES], true)).toEqual({ rlimits: [FILES], onStart: undefined });
  expect(execLimits({ ...program("1.8.1"), kind: "crun" }, [FILES], true).onStart).toBeUndefined();
  expect(execLimits(program("1.1.5"), [{ ...FILES, soft: 2000 }], true).onStart).toBeUndefined();
  expect(execLimits(program("1.1.5"), [CORE], true)).toEqual({ rlimits: [CORE], onStart: undefined });
});
