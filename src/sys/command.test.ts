import { expect, test } from "bun:test";
import { CancelledError } from "#errors/errors.ts";
import { runCommand } from "./command.ts";

test("runCommand() starts nothing for a signal that is aborted already", async () => {
  let started = false;
  const run = runCommand("sleep", ["100"], {
    signal: AbortSignal.abort(),
    onStart: () => {
      started = true;
    },
  });
  await expect(run).rejects.toBeInstanceOf(CancelledError);
  expect(started).toBe(false);
});

test("runCommand() ends the program, and what it started in its group, at an abort", async () => {
  const abort = new AbortController();
  const run = runCommand("sh", ["-c", "sleep 100 & wait"], {
    signal: abort.signal,
    group: true,
    onStart: () => setTimeout(() => abort.abort(), 20),
  });
  await expect(run).rejects.toBeInstanceOf(CancelledError);
});
