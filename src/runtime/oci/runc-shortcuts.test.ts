import { afterEach, beforeEach, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readProcess } from "#sys/process-info.ts";
import { openStartGate, START_FIFO } from "./runc-shortcuts.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "start-gate-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** A created container as runc leaves it, whose process does `script` at the FIFO. */
function created(script: string): ReturnType<typeof spawn> {
  spawnSync("mkfifo", [join(directory, START_FIFO)]);
  const child = spawn("sh", ["-c", script], { cwd: directory, stdio: "ignore" });
  const process = readProcess(child.pid ?? 0);
  const state = { init_process_pid: child.pid, init_process_start: process?.startTime };
  writeFileSync(join(directory, "state.json"), JSON.stringify(state));
  return child;
}

test("openStartGate() waits for a process that the machine is slow to run, and lets it go on", async () => {
  const child = created(`sleep 0.4; printf 0 > ${START_FIFO}; exit 7`);
  const ended = once(child, "exit");
  expect(await openStartGate(directory)).toBe(true);
  expect(existsSync(join(directory, START_FIFO))).toBe(false);
  expect((await ended)[0]).toBe(7);
});

test("openStartGate() leaves everything as it is when the process has ended, or nothing waits", async () => {
  expect(await openStartGate(directory)).toBe(false);
  created("true");
  expect(await openStartGate(directory)).toBe(false);
  expect(existsSync(join(directory, START_FIFO))).toBe(true);
});
