import { expect, test } from "bun:test";
import { SystemError } from "#errors/errors.ts";
import { bootId, isAlive, parseProcessStat, readProcess } from "./process-info.ts";

const STAT_TAIL = "S 1 2 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 1000 200";

test("parseProcessStat() copes with parentheses and spaces in the program's name", () => {
  expect(parseProcessStat(`42 (a) b (c) ${STAT_TAIL}`)).toEqual({
    pid: 42,
    state: "S",
    parentPid: 1,
    processGroup: 2,
    startTime: 777,
  });
});

test("parseProcessStat() refuses what is not a stat line", () => {
  for (const text of ["", "42", "42 (x) S 1"]) expect(() => parseProcessStat(text)).toThrow(SystemError);
});

test("readProcess() returns undefined for a pid that nobody has", () => {
  expect(readProcess(0x7fff_fff0)).toBeUndefined();
});

test("isAlive() tells this process from another with its pid", () => {
  const me = readProcess(process.pid);
  if (!me) throw new Error("no such process");
  expect(isAlive(me)).toBe(true);
  expect(isAlive({ pid: me.pid, startTime: me.startTime - 1 })).toBe(false);
});

test("isAlive() says that a zombie is not alive", async () => {
  // The shell's child ends at once; exec replaces the shell by a program that never waits for it.
  const parent = Bun.spawn(["sh", "-c", "sleep 0.1 & echo $!; exec sleep 5"], { stdout: "pipe" });
  const { value } = await parent.stdout.getReader().read();
  const pid = Number(new TextDecoder().decode(value));
  for (let wait = 0; wait < 100 && readProcess(pid)?.state !== "Z"; wait++) await Bun.sleep(5);
  const zombie = readProcess(pid);
  expect(zombie?.state).toBe("Z");
  expect(zombie && isAlive(zombie)).toBe(false);
  parent.kill("SIGKILL");
  await parent.exited;
});

test("bootId() reads this boot's", () => {
  expect(bootId()).toMatch(/^[0-9a-f-]{36}$/);
});
