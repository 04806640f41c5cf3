/** What others want of a container while it is being started: they wait for what comes of it, as they wait for dockerd's lock. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import type { Finished } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { until } from "../../tools/harness/until.ts";

let engine: PrivateEngine;
const scratch = mkdtempSync(join(tmpdir(), "berth-start-"));
/** The runtime's starts take their time while this file is there. */
const slow = join(scratch, "slow");

beforeAll(async () => {
  const runtime = join(scratch, "runtime");
  writeFileSync(
    runtime,
    `#!/bin/sh\nfor word; do\n  if [ "$word" = create ] && [ -e ${slow} ]; then touch ${scratch}/starting; sleep 0.5; fi\ndone\nexec runc "$@"\n`,
    { mode: 0o755 },
  );
  engine = await PrivateEngine.start({
    daemonArgs: ["--add-runtime", `slow=${runtime}`, "--default-runtime", "slow"],
  });
  await makeBusybox(engine);
}, 120_000);

afterAll(async () => {
  await engine.close();
  rmSync(scratch, { recursive: true });
}, 120_000);

/** Runs `command` in the middle of a container's start. */
async function whileStarting(name: string, command: readonly string[]): Promise<readonly [Finished, Finished]> {
  await engine.ok(["create", "--name", name, "busybox", "sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.05; done"]);
  writeFileSync(slow, "");
  try {
    const started = engine.berth(["start", name]);
    await until(async () => existsSync(join(scratch, "starting")));
    const done = engine.berth([...command, name]);
    return await Promise.all([started, done]);
  } finally {
    rmSync(slow);
    rmSync(join(scratch, "starting"), { force: true });
  }
}

test("rm -f, stop and kill of a container that is being started end it", async () => {
  const [removedStart, removed] = await whileStarting("removed", ["rm", "-f"]);
  expect([removedStart.exitCode, removed.exitCode, removed.stderr]).toEqual([0, 0, ""]);
  const [, stopped] = await whileStarting("stopped", ["stop", "-t", "30"]);
  expect([stopped.exitCode, stopped.stderr]).toEqual([0, ""]);
  const [, killed] = await whileStarting("killed", ["kill"]);
  expect([killed.exitCode, killed.stderr]).toEqual([0, ""]);
  const states = await engine.ok(["ps", "-a", "--format", "{{.Names}} {{.State}}"]);
  expect(states.split("\n").sort()).toEqual(["killed exited", "stopped exited"]);
  await engine.ok(["rm", "stopped", "killed"]);
}, 60_000);

test("rm without -f of one that is being started finds it running", async () => {
  const [, refused] = await whileStarting("kept", ["rm"]);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain('cannot remove container "/kept": container is running');
  await engine.ok(["rm", "-f", "kept"]);
}, 60_000);
