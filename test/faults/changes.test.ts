/** Changes of one container at once: who ends one that is being started waits for what comes of it, as for dockerd's lock. And changes that fail halfway. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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
async function whileStarting(
  name: string,
  command: readonly string[],
  flags: readonly string[] = [],
): Promise<readonly [Finished, Finished]> {
  await engine.ok([
    "create",
    "--name",
    name,
    ...flags,
    "busybox",
    "sh",
    "-c",
    "trap 'exit 7' TERM; while :; do sleep 0.05; done",
  ]);
  writeFileSync(slow, "");
  try {
    const started = engine.berth(["start", name]);
    await until(async () => existsSync(join(scratch, "starting")));
    const done = engine.berth(command.includes(name) ? command : [...command, name]);
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

test("a container that is renamed while it is being started is found under its new name", async () => {
  await engine.ok(["network", "create", "named"]);
  const [started, renamed] = await whileStarting("early", ["rename", "early", "late"], ["--network", "named"]);
  expect([started.exitCode, renamed.exitCode, renamed.stderr]).toEqual([0, 0, ""]);
  const ask = (name: string): Promise<string> =>
    engine.ok([
      "run",
      "--rm",
      "--network",
      "named",
      "busybox",
      "sh",
      "-c",
      `nslookup ${name} >&2 && echo found || echo none`,
    ]);
  expect([await ask("late"), await ask("early")]).toEqual(["found", "none"]);
  await engine.ok(["rm", "-f", "late"]);
  await engine.ok(["network", "rm", "named"]);
}, 60_000);

test("run --rm hears that its container cannot be removed, and rm tries again", async () => {
  const waiting = "until [ -e /data/go ]; do sleep 0.05; done; exit 5";
  const run = engine.berth(["run", "--rm", "--name", "stuck", "-v", "/data", "busybox", "sh", "-c", waiting]);
  await until(async () => (await engine.ok(["ps", "-q"])) !== "");
  const data = await engine.ok(["inspect", "-f", "{{(index .Mounts 0).Source}}", "stuck"]);
  // Something on this host is mounted in the volume, which can therefore not be deleted.
  const mounted = join(data, "mounted");
  mkdirSync(mounted);
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", mounted]);
  const find = (): string =>
    execFileSync("findmnt", ["-rno", "TARGET"], { encoding: "utf8" })
      .split("\n")
      .find((line) => line.startsWith(engine.dataRoot) && line.endsWith("/mounted")) ?? "";
  try {
    writeFileSync(join(data, "go"), "");
    const { exitCode, stderr } = await run;
    expect(exitCode).toBe(125);
    expect(stderr).toContain("EBUSY");
    expect(await engine.ok(["inspect", "-f", "{{.State.Status}}", "stuck"])).toBe("dead");
  } finally {
    execFileSync("umount", [find()]);
  }
  await engine.ok(["rm", "stuck"]);
}, 60_000);

test("files are read of a container that is being removed, or it is no more, and nothing of it stays", async () => {
  const ask = async (method: string, path: string): Promise<number> =>
    (await fetch(`http://berth/containers/${path}`, { unix: engine.socket, method })).status;
  const statuses = new Set<number>();
  for (let round = 0; round < 15; round++) {
    const id = (await engine.ok(["create", "-v", "/data", "busybox", "true"])).trim();
    const asked = Array.from({ length: 6 }, () => ask("HEAD", `${id}/archive?path=/etc/passwd`));
    const removed = ask("DELETE", `${id}?v=1`);
    for (const status of await Promise.all([...asked, removed, ask("HEAD", `${id}/archive?path=/`)]))
      statuses.add(status);
  }
  expect([...statuses].filter((status) => ![200, 204, 404].includes(status))).toEqual([]);
  expect(readdirSync(join(engine.execRoot, "m", "r"))).toEqual([]);
});
