import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { until } from "../../tools/harness/until.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

function state(name: string, template: string): Promise<string> {
  return engine.ok(["inspect", "-f", template, name]);
}

/** What has happened to a container since its creation, in order: `kill 15`, `die 143`. */
async function history(name: string): Promise<string[]> {
  const template = "{{.Action}} {{.Actor.Attributes.signal}} {{.Actor.Attributes.exitCode}}";
  const filters = ["--filter", "type=container", "--filter", `container=${name}`];
  const text = await engine.ok(["events", "--since", "1h", "--until", "0s", ...filters, "--format", template]);
  return text.split("\n").map((line) => line.replaceAll("<no value>", "").replace(/\s+/g, " ").trim());
}

/** A container that ends with 7 on SIGTERM. */
const OBEDIENT = ["sh", "-c", "trap 'exit 7' TERM; echo ready; while true; do sleep 0.05; done"];

async function running(name: string, flags: readonly string[], command: readonly string[]): Promise<void> {
  await engine.ok(["run", "-d", "--name", name, ...flags, "busybox", ...command]);
  if (command === OBEDIENT) await until(async () => (await engine.ok(["logs", name])) === "ready");
}

/** The order that Compose and others rely on. */
describe("events come in Docker's order", () => {
  interface Case {
    readonly what: string;
    readonly flags?: readonly string[];
    readonly command: readonly string[];
    /** What to do with the container, after its start. */
    readonly doing: (name: string) => Promise<unknown>;
    /** Behind `create`, `start`. */
    readonly expected: readonly string[];
  }
  const cases: readonly Case[] = [
    {
      what: "exit",
      command: ["sh", "-c", "exit 3"],
      doing: (name) => engine.ok(["wait", name]),
      expected: ["die 3"],
    },
    {
      what: "stop",
      command: OBEDIENT,
      doing: (name) => engine.ok(["stop", name]),
      expected: ["kill 15", "die 7", "stop"],
    },
    {
      what: "stop with more patience than a timer can hold",
      command: OBEDIENT,
      doing: (name) => engine.ok(["stop", "-t", "3000000", name]),
      expected: ["kill 15", "die 7", "stop"],
    },
    {
      what: "stop that needs a kill",
      command: ["sleep", "100"],
      doing: (name) => engine.ok(["stop", "-t", "0", name]),
      expected: ["kill 15", "kill 9", "die 137", "stop"],
    },
    {
      what: "stop of a paused one",
      command: OBEDIENT,
      doing: async (name) => {
        await engine.ok(["pause", name]);
        await engine.ok(["stop", name]);
      },
      expected: ["pause", "kill 15", "unpause", "die 7", "stop"],
    },
    {
      what: "kill",
      command: ["sleep", "100"],
      doing: (name) => engine.ok(["kill", name]),
      expected: ["kill 9", "die 137"],
    },
    {
      what: "restart",
      command: OBEDIENT,
      doing: (name) => engine.ok(["restart", name]),
      expected: ["kill 15", "die 7", "stop", "start", "restart"],
    },
    {
      what: "rm -f",
      command: ["sleep", "100"],
      doing: (name) => engine.ok(["rm", "-f", name]),
      expected: ["kill 9", "die 137", "destroy"],
    },
    {
      what: "rm -f of a paused one",
      command: ["sleep", "100"],
      doing: async (name) => {
        await engine.ok(["pause", name]);
        await engine.ok(["rm", "-f", name]);
      },
      expected: ["pause", "kill 9", "unpause", "die 137", "destroy"],
    },
    {
      what: "exit with --rm",
      flags: ["--rm"],
      command: ["sh", "-c", "sleep 0.3; exit 2"],
      doing: (name) => until(async () => (await engine.berth(["inspect", name])).exitCode === 1),
      expected: ["die 2", "destroy"],
    },
    {
      what: "want of memory",
      flags: ["-m", "16m"],
      command: ["sh", "-c", "sleep 0.3; exec tail /dev/zero"],
      doing: (name) => engine.ok(["wait", name]),
      expected: ["oom", "die 137"],
    },
    {
      what: "restart by the policy",
      flags: ["--restart", "on-failure:2"],
      command: ["sh", "-c", "exit 5"],
      doing: (name) => until(async () => (await state(name, "{{.RestartCount}} {{.State.Status}}")) === "2 exited"),
      expected: ["die 5", "start", "die 5", "start", "die 5"],
    },
    {
      what: "stop between two runs",
      flags: ["--restart", "always"],
      command: ["sh", "-c", "exit 6"],
      doing: async (name) => {
        await until(async () => (await state(name, "{{.RestartCount}} {{.State.Status}}")) === "3 restarting");
        await engine.ok(["stop", name]);
      },
      expected: ["die 6", "start", "die 6", "start", "die 6", "stop"],
    },
    {
      what: "pause, top and exec",
      command: ["sleep", "100"],
      doing: async (name) => {
        await engine.ok(["pause", name]);
        await engine.ok(["unpause", name]);
        await engine.ok(["top", name]);
        await engine.ok(["exec", name, "true"]);
      },
      expected: ["pause", "unpause", "top", "exec_create: true", "exec_start: true", "exec_die 0"],
    },
  ];

  test.each(cases.map((one) => [one.what, one] as const))(
    "%s",
    async (what, one) => {
      const name = `order-${what.replaceAll(/\W+/g, "-")}`;
      await running(name, one.flags ?? [], one.command);
      await one.doing(name);
      const seen = await history(name);
      expect(seen.slice(0, 2)).toEqual(["create", "start"]);
      const body = seen.slice(2, 2 + one.expected.length + 1).filter((line) => line !== "update");
      expect(body).toEqual([...one.expected]);
      await engine.berth(["rm", "-f", name]);
    },
    120_000,
  );
});

describe("update", () => {
  test("changes limits of a running container at once, and keeps them for the next start", async () => {
    await running("limited", ["-m", "64m"], ["sleep", "100"]);
    expect(await engine.ok(["update", "-m", "80m", "--pids-limit", "33", "--cpu-shares", "300", "limited"])).toBe(
      "limited",
    );
    const inside = [
      "exec",
      "limited",
      "sh",
      "-c",
      "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max",
    ];
    expect((await engine.berth(inside)).stdout).toBe(`${80 * 2 ** 20}\n`);
    await engine.ok(["restart", "-t", "0", "limited"]);
    expect((await engine.berth(inside)).stdout).toBe(`${80 * 2 ** 20}\n`);
    const shown = "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.CpuShares}}";
    expect(await state("limited", shown)).toBe(`${80 * 2 ** 20} 33 300`);
    const refused = await engine.berth(["update", "-m", "200m", "limited"]);
    expect(refused.stderr).toContain("Memory limit should be smaller than already set memoryswap limit");
    expect(await state("limited", shown)).toBe(`${80 * 2 ** 20} 33 300`);
    expect((await engine.berth(["update", "limited"])).exitCode).toBe(1);
    await engine.ok(["rm", "-f", "limited"]);
  }, 120_000);

  test("gives and takes a restart policy", async () => {
    await running("policy", [], ["sh", "-c", "sleep 0.5; exit 1"]);
    await engine.ok(["update", "--restart", "on-failure:1", "policy"]);
    await until(async () => (await state("policy", "{{.RestartCount}} {{.State.Status}}")) === "1 exited");
    await running("forever", ["--restart", "always"], ["sleep", "0.1"]);
    // Whatever it does at the moment: between two runs, or about to end.
    for (let limit = 100; limit < 120; limit++) await engine.ok(["update", "--pids-limit", String(limit), "forever"]);
    expect(await state("forever", "{{.HostConfig.PidsLimit}}")).toBe("119");
    await engine.ok(["update", "--restart", "no", "forever"]);
    await until(async () => (await state("forever", "{{.State.Status}}")) === "exited");
    await engine.ok(["rm", "policy", "forever"]);
  }, 120_000);
});

describe("a restart policy", () => {
  test("counts restarts, waits longer each time, and is called off by stop", async () => {
    await running("again", ["--restart", "always"], ["sh", "-c", "exit 1"]);
    await until(async () => Number(await state("again", "{{.RestartCount}}")) >= 3);
    await until(async () => (await state("again", "{{.State.Status}}")) === "restarting");
    expect(await state("again", "{{.State.Running}} {{.State.Restarting}}")).toBe("true true");
    expect(await engine.ok(["ps", "--format", "{{.Status}}", "--filter", "name=again"])).toMatch(/^Restarting \(1\) /);
    const refused: readonly (readonly [readonly string[], string])[] = [
      [["rm", "again"], "container is restarting: stop the container before removing or force remove"],
      [["pause", "again"], "is restarting, wait until the container is running"],
      [["exec", "again", "true"], "is restarting, wait until the container is running"],
    ];
    for (const [args, message] of refused) {
      // It may be running just then, for a moment: no command of these succeeds on it either.
      await until(async () => {
        const { exitCode, stderr } = await engine.berth(args);
        expect(exitCode).not.toBe(0);
        return stderr.includes(message);
      });
    }
    const waiting = engine.ok(["wait", "again"]);
    await engine.ok(["stop", "again"]);
    expect(await waiting).toBe("1");
    await Bun.sleep(1000);
    expect(await state("again", "{{.State.Status}}")).toBe("exited");
    await engine.ok(["rm", "again"]);
  }, 120_000);

  test("is called off by kill and stop at whatever moment of its round they come", async () => {
    const names = Array.from({ length: 16 }, (_, index) => `round-${index}`);
    const end = async (name: string, index: number): Promise<void> => {
      await running(name, ["--restart", "always"], ["false"]);
      await Bun.sleep(index * 23);
      await engine.ok([index % 2 === 0 ? "kill" : "stop", name]);
    };
    await Promise.all(names.map(end));
    await Bun.sleep(1000);
    for (const name of names) expect(`${name} ${await state(name, "{{.State.Status}}")}`).toBe(`${name} exited`);
    await engine.ok(["rm", ...names]);
  }, 120_000);

  test("on-failure leaves success alone and ends after its retries; wait waits for one run", async () => {
    await running("fine", ["--restart", "on-failure"], ["true"]);
    expect(await engine.ok(["wait", "fine"])).toBe("0");
    await running("failing", ["--restart", "on-failure:3"], ["sh", "-c", "sleep 0.5; exit 4"]);
    expect(await engine.ok(["wait", "failing"])).toBe("4");
    expect(Number(await state("failing", "{{.RestartCount}}"))).toBeLessThan(3);
    await until(async () => (await state("failing", "{{.RestartCount}} {{.State.Status}}")) === "3 exited");
    await engine.ok(["rm", "fine", "failing"]);
  }, 120_000);

  test("--rm removes what is stopped, not what is restarted", async () => {
    await running("passing", ["--rm"], OBEDIENT);
    await engine.ok(["exec", "passing", "touch", "/kept"]);
    await engine.ok(["restart", "passing"]);
    await engine.ok(["exec", "passing", "test", "-e", "/kept"]);
    // Several at once, of which one ends while others stop it again.
    const restart = async (after: number): Promise<string> => {
      await Bun.sleep(after);
      return await engine.ok(["restart", "passing"]);
    };
    await Promise.all([0, 30, 60, 90, 120, 150, 180, 210].map(restart));
    await engine.ok(["exec", "passing", "test", "-e", "/kept"]);
    await engine.ok(["stop", "-t", "1", "passing"]);
    await until(async () => (await engine.berth(["inspect", "passing"])).exitCode !== 0);
  }, 120_000);

  test("with --rm is refused", async () => {
    const { exitCode, stderr } = await engine.berth(["run", "--rm", "--restart", "always", "busybox"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain("conflicting options: cannot specify both --restart and --rm");
  });
});

describe("an engine that comes back", () => {
  /** All that a reboot leaves: the data. A copy of it under another engine, with an exec root of its own and without bridges, is such a machine. */
  async function reboot(before: PrivateEngine): Promise<PrivateEngine> {
    const bridge = await before.ok([
      "network",
      "inspect",
      "-f",
      '{{index .Options "com.docker.network.bridge.name"}}',
      "bridge",
    ]);
    await before.stop();
    const ports = execFileSync("ip", ["-oneline", "link", "show", "master", bridge], { encoding: "utf8" });
    for (const [, port = ""] of ports.matchAll(/^\d+: ([^:@\s]+)/gm)) execFileSync("ip", ["link", "delete", port]);
    execFileSync("ip", ["link", "delete", bridge]);
    const directory = mkdtempSync(join(tmpdir(), "berth-"));
    cpSync(before.dataRoot, join(directory, "data"), { recursive: true, preserveTimestamps: true });
    return await PrivateEngine.start({ directory });
  }

  test("after a reboot starts what ran by its policy, in the order of who joins whom", async () => {
    const old = await PrivateEngine.start();
    try {
      await makeBusybox(old);
      const run = (name: string, ...flags: readonly string[]): Promise<string> =>
        old.ok(["run", "-d", "--name", name, ...flags, "busybox", "sleep", "1000"]);
      await run("base", "--restart", "always");
      await run("joined", "--restart", "always", "--network", "container:base");
      await run("unless", "--restart", "unless-stopped", "--health-cmd", "true", "--health-interval", "200ms");
      await run("halted", "--restart", "unless-stopped");
      await old.ok(["stop", "-t", "0", "halted"]);
      await run("plain");
      await run("gone", "--rm");
      await old.ok(["run", "-d", "--name", "looping", "--restart", "always", "busybox", "false"]);
      const next = await reboot(old);
      try {
        const status = (name: string): Promise<string> => next.ok(["inspect", "-f", "{{.State.Status}}", name]);
        for (const name of ["base", "joined", "unless"]) await until(async () => (await status(name)) === "running");
        await until(async () => (await next.ok(["inspect", "-f", "{{.State.Health.Status}}", "unless"])) === "healthy");
        expect(await status("halted")).toBe("exited");
        expect(await next.ok(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "plain"])).toBe("exited 137");
        expect((await next.berth(["inspect", "gone"])).exitCode).toBe(1);
        await until(async () => Number(await next.ok(["inspect", "-f", "{{.RestartCount}}", "looping"])) >= 2);
      } finally {
        await next.close();
      }
    } finally {
      await old.close();
    }
  }, 120_000);

  test("finds what ended meanwhile, and what waited for its restart", async () => {
    await running("ended", ["--restart", "on-failure:5"], ["sh", "-c", "sleep 1; exit 3"]);
    await running("waiting", ["--restart", "always"], ["sh", "-c", "exit 1"]);
    await running("removed", ["--rm", "-p", "127.0.0.1::80"], ["sleep", "1000"]);
    const port = await engine.ok(["port", "removed", "80"]);
    await until(async () => (await state("waiting", "{{.State.Status}}")) === "restarting");
    await engine.crash();
    await Bun.sleep(1500);
    await engine.start();
    await until(async () => Number(await state("ended", "{{.RestartCount}}")) >= 1);
    const count = Number(await state("waiting", "{{.RestartCount}}"));
    await until(async () => Number(await state("waiting", "{{.RestartCount}}")) > count);
    expect(await engine.ok(["port", "removed", "80"])).toBe(port);
    await engine.ok(["stop", "-t", "0", "removed"]);
    expect((await engine.berth(["inspect", "removed"])).exitCode).toBe(1);
    await engine.ok(["rm", "-f", "ended", "waiting"]);
  }, 120_000);
});

describe("commit", () => {
  test("pauses the container, and is not undone when that is killed meanwhile", async () => {
    const write = "dd if=/dev/urandom of=/data bs=1M count=32 2>/dev/null; echo ready; sleep 1000";
    await running("held", [], ["sh", "-c", write]);
    await until(async () => (await engine.ok(["logs", "held"])) === "ready");
    await engine.ok(["commit", "held", "made:whole"]);
    expect((await history("held")).slice(2)).toEqual(["pause", "unpause", "commit"]);
    const committing = engine.berth(["commit", "held", "made:killed"]);
    await until(async () => (await history("held")).filter((line) => line === "pause").length === 2);
    await engine.ok(["kill", "held"]);
    expect((await committing).exitCode).toBe(0);
    expect(await state("held", "{{.State.Status}} {{.State.ExitCode}}")).toBe("exited 137");
    const listed = ["run", "--rm", "made:killed", "stat", "-c", "%s", "/data"];
    expect(await engine.ok(listed)).toBe(String(32 * 2 ** 20));
    await engine.ok(["rm", "held"]);
    await engine.ok(["rmi", "made:whole", "made:killed"]);
  }, 120_000);
});

describe("exec", () => {
  test("refuses what cannot be, in Docker's words", async () => {
    await running("host", [], ["sleep", "1000"]);
    const created = await engine.ok(["create", "--name", "still", "busybox"]);
    expect((await engine.berth(["exec", "still", "true"])).stderr).toContain(`container ${created} is not running`);
    await engine.ok(["pause", "host"]);
    expect((await engine.berth(["exec", "host", "true"])).stderr).toContain(
      "is paused, unpause the container before exec",
    );
    await engine.ok(["unpause", "host"]);
    const api = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: string }> => {
      const response = await fetch(`http://engine/v1.51${path}`, {
        method,
        unix: engine.socket,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
      });
      return { status: response.status, body: await response.text() };
    };
    const exec = async (...Cmd: readonly string[]): Promise<string> =>
      JSON.parse((await api("POST", "/containers/host/exec", { Cmd })).body).Id;
    expect(await api("POST", "/containers/host/exec", { Cmd: [] })).toMatchObject({
      status: 400,
      body: '{"message":"No exec command specified"}\n',
    });
    const first = await exec("sleep", "0.3");
    expect((await api("POST", `/exec/${first}/start`, { Detach: true })).status).toBe(200);
    expect(await api("POST", `/exec/${first}/start`, { Detach: true })).toMatchObject({
      status: 409,
      body: `{"message":"Error: Exec command ${first} is already running"}\n`,
    });
    await until(async () => JSON.parse((await api("GET", `/exec/${first}/json`)).body).Running === false);
    expect((await api("POST", `/exec/${first}/start`, { Detach: true })).body).toContain("has already run");
    // Framed or raw is what the start says, not whether the process is on a terminal.
    const typed = JSON.parse(
      (await api("POST", "/containers/host/exec", { Cmd: ["echo", "hi"], Tty: true, AttachStdout: true })).body,
    ).Id;
    expect((await api("POST", `/exec/${typed}/start`, { Tty: false })).body).toBe("\x01\0\0\0\0\0\0\x04hi\r\n");
    const second = await exec("true");
    await engine.ok(["stop", "-t", "0", "host"]);
    // What never ran ends with the run that it was made for.
    expect(await api("POST", `/exec/${second}/start`, {})).toMatchObject({ status: 404 });
    expect((await api("GET", `/exec/${first}/json`)).status).toBe(200);
    await engine.ok(["rm", "host", "still"]);
    expect(await api("GET", `/exec/${first}/json`)).toMatchObject({
      status: 404,
      body: `{"message":"No such exec instance: ${first}"}\n`,
    });
  }, 120_000);
});
