import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { until } from "../../tools/harness/until.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

/** A container whose check succeeds while /ok is there. It is starting until then. */
function runChecked(name: string, ...flags: readonly string[]): Promise<string> {
  const check = ["--health-cmd", "echo looked; test -e /ok", "--health-interval", "150ms", "--health-retries", "2"];
  const start = ["--health-start-period", "1h"];
  return engine.ok(["run", "-d", "--name", name, ...check, ...start, ...flags, "busybox", "sleep", "1000"]);
}

function state(name: string, template: string): Promise<string> {
  return engine.ok(["inspect", "-f", template, name]);
}

function untilHealth(name: string, status: string): Promise<void> {
  return until(async () => (await state(name, "{{.State.Health.Status}}")) === status);
}

describe("a health check", () => {
  test("goes from starting to healthy to unhealthy and back, with its events and its log", async () => {
    const since = String(Date.now() / 1000);
    const id = await runChecked("checked");
    expect(await engine.ok(["ps", "--format", "{{.Status}}"])).toContain("(health: starting)");
    await engine.ok(["exec", "checked", "touch", "/ok"]);
    await untilHealth("checked", "healthy");
    expect(await engine.ok(["ps", "--format", "{{.Status}}", "--filter", "health=healthy"])).toContain("(healthy)");
    expect(await engine.ok(["ps", "-q", "--filter", "health=none"])).toBe("");
    await engine.ok(["exec", "checked", "rm", "/ok"]);
    await untilHealth("checked", "unhealthy");
    const log = JSON.parse(await state("checked", "{{json .State.Health.Log}}"));
    expect(log.at(-1)).toMatchObject({ ExitCode: 1, Output: "looked\n" });
    expect(log.length).toBeLessThanOrEqual(5);
    await engine.ok(["exec", "checked", "touch", "/ok"]);
    await untilHealth("checked", "healthy");
    const events = (
      await engine.ok(["events", "--since", since, "--until", "0s", "--format", "{{.Action}} {{.ID}}"])
    ).split("\n");
    expect(events.filter((line) => line.startsWith("health_status"))).toEqual(
      ["healthy", "unhealthy", "healthy"].map((status) => `health_status: ${status} ${id}`),
    );
    const exec = events.findIndex((line) => line.startsWith("exec_create: /bin/sh -c echo looked; test -e /ok"));
    expect(events.slice(exec, exec + 3).map((line) => line.split(":")[0]?.split(" ")[0])).toEqual([
      "exec_create",
      "exec_start",
      "exec_die",
    ]);
  }, 120_000);

  test("is paused with the container, and ends with it", async () => {
    await engine.ok(["pause", "checked"]);
    expect(await state("checked", "{{.State.Health.Status}}")).toBe("unhealthy");
    await engine.ok(["unpause", "checked"]);
    await untilHealth("checked", "healthy");
    await engine.ok(["exec", "checked", "rm", "/ok"]);
    await engine.ok(["stop", "-t", "0", "checked"]);
    expect(await state("checked", "{{.State.Status}} {{.State.Health.Status}}")).toBe("exited unhealthy");
    const before = await state("checked", "{{json .State.Health.Log}}");
    await engine.ok(["start", "checked"]);
    expect(await state("checked", "{{.State.Health.Status}} {{.State.Health.FailingStreak}}")).toBe("starting 0");
    expect(JSON.parse(before).length).toBeGreaterThan(0);
    await engine.ok(["rm", "-f", "checked"]);
  }, 120_000);

  test("goes on under the next engine", async () => {
    await runChecked("survivor");
    await engine.ok(["exec", "survivor", "touch", "/ok"]);
    await untilHealth("survivor", "healthy");
    await engine.crash();
    await engine.start();
    expect(await state("survivor", "{{.State.Health.Status}}")).toBe("healthy");
    await engine.ok(["exec", "survivor", "rm", "/ok"]);
    await untilHealth("survivor", "unhealthy");
    await engine.ok(["rm", "-f", "survivor"]);
  }, 120_000);

  test("that takes too long is killed with what it started", async () => {
    const flags = ["--health-cmd", "echo slow; sleep 777; true", "--health-timeout", "200ms"];
    await runChecked("slow", ...flags, "--health-start-period", "0s");
    await untilHealth("slow", "unhealthy");
    // On a busy machine the first checks may not come as far as their echo.
    await until(async () => (await state("slow", "{{json .State.Health.Log}}")).includes("slow"));
    const log = JSON.parse(await state("slow", "{{json .State.Health.Log}}"));
    const told = { ExitCode: -1, Output: "Health check exceeded timeout (200ms): slow\n" };
    expect(log).toContainEqual(expect.objectContaining(told));
    await engine.ok(["pause", "slow"]);
    await engine.ok(["unpause", "slow"]);
    expect((await engine.ok(["top", "slow"])).match(/sleep 777/g)?.length ?? 0).toBeLessThanOrEqual(2);
    await engine.ok(["rm", "-f", "slow"]);
  }, 120_000);

  test("that cannot run says why; long output is cut", async () => {
    await engine.ok([
      "run",
      "-d",
      "--name",
      "odd",
      "--health-cmd",
      "x",
      "--health-interval",
      "100ms",
      "busybox",
      "sleep",
      "1000",
    ]);
    await until(async () => (await state("odd", "{{json .State.Health.Log}}")) !== "[]");
    const [first] = JSON.parse(await state("odd", "{{json .State.Health.Log}}"));
    expect(first).toMatchObject({ ExitCode: 127, Output: "/bin/sh: x: not found\n" });
    const flood = ["--health-cmd", "yes | head -c 9000", "--health-interval", "100ms"];
    await engine.ok(["run", "-d", "--name", "flood", ...flood, "busybox", "sleep", "1000"]);
    await untilHealth("flood", "healthy");
    expect(await state("flood", "{{len (index .State.Health.Log 0).Output}}")).toBe("4099");
    await engine.ok(["rm", "-f", "odd", "flood"]);
  }, 120_000);

  test("comes from the image; flags change parts of it and turn it off", async () => {
    const dockerfile = "FROM busybox\nHEALTHCHECK --interval=100ms --retries=7 CMD true\n";
    await engine.ok(["build", "-q", "-t", "checked-image", "-"], { input: dockerfile });
    await engine.ok(["run", "-d", "--name", "aa", "--health-retries", "2", "checked-image", "sleep", "100"]);
    await engine.ok(["run", "-d", "--name", "bb", "--no-healthcheck", "checked-image", "sleep", "100"]);
    await untilHealth("aa", "healthy");
    expect(await state("aa", "{{json .Config.Healthcheck}}")).toBe(
      '{"Test":["CMD-SHELL","true"],"Interval":100000000,"Retries":2}',
    );
    expect(await state("bb", "{{json .Config.Healthcheck.Test}} {{json .State.Health}}")).toBe('["NONE"] null');
    await engine.ok(["rm", "-f", "aa", "bb"]);
  }, 120_000);
});
