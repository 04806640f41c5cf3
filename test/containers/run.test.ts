import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
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

describe("berth run", () => {
  test("streams stdout and stderr apart and ends with the container's exit code", async () => {
    const result = await engine.berth(["run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7"]);
    expect(result).toEqual({ exitCode: 7, stdout: "out\n", stderr: "err\n" });
  });

  test("passes stdin and its end", async () => {
    const result = await engine.berth(["run", "--rm", "-i", "busybox", "cat"], { input: "one\ntwo\n" });
    expect(result).toEqual({ exitCode: 0, stdout: "one\ntwo\n", stderr: "" });
  });

  test("marks the root as a container's, which is no change of the container's", async () => {
    await engine.ok([
      "run",
      "--name",
      "marked",
      "busybox",
      "sh",
      "-c",
      "test -f /.dockerenv && readlink /etc/mtab > /seen",
    ]);
    expect(await engine.ok(["diff", "marked"])).toBe("A /seen");
    await engine.ok(["commit", "marked", "marked"]);
    expect(await engine.ok(["run", "--rm", "marked", "cat", "/seen"])).toBe("/proc/mounts");
    await engine.ok(["start", "-a", "marked"]);
    await engine.ok(["rm", "marked"]);
    await engine.ok(["rmi", "marked"]);
  });

  test("passes a megabyte through stdin and stdout unchanged", async () => {
    const text = Array.from({ length: 40_000 }, (_, index) => `line ${index} of many`).join("\n");
    const result = await engine.berth(["run", "--rm", "-i", "busybox", "cat"], { input: text });
    expect(result.stdout).toBe(text);
  });

  test("ends with 127 for a command that the image does not have, in Docker's words", async () => {
    const result = await engine.berth(["run", "--rm", "busybox", "no-such-command"]);
    expect(result.exitCode).toBe(127);
    expect(result.stderr).toContain('exec: "no-such-command": executable file not found in $PATH');
    expect(await engine.ok(["ps", "-aq"])).toBe("");
  });

  test("ends with 126 for a command that cannot be executed", async () => {
    const result = await engine.berth(["run", "--rm", "busybox", "/etc/passwd"]);
    expect(result.exitCode).toBe(126);
    expect(result.stderr).toContain("permission denied");
  });

  test("ends with 125 for an image that nobody has", async () => {
    const result = await engine.berth(["run", "--rm", "127.0.0.1:1/nothing:here"]);
    expect(result.exitCode).toBe(125);
    expect(result.stderr).toContain("Unable to find image '127.0.0.1:1/nothing:here' locally");
  });

  test("gives an environment of the engine's, the image's, the file's and the flags' values and nothing of the host", async () => {
    const file = join(engine.directory, "env-file");
    writeFileSync(file, "# comment\nFROM_FILE=file\nBOTH=file\nHOSTNAME_TOO\n");
    const result = await engine.ok(
      [
        "run",
        "--rm",
        "--hostname",
        "box",
        "--env-file",
        file,
        "-e",
        "BOTH=flag",
        "-e",
        "COPIED",
        "-e",
        "ABSENT",
        "busybox",
        "env",
      ],
      {
        env: { COPIED: "from-host", SECRET_OF_HOST: "x" },
      },
    );
    expect(result.split("\n").sort()).toEqual(
      [
        "BOTH=flag",
        "COPIED=from-host",
        "FROM_FILE=file",
        "HOME=/root",
        "HOSTNAME=box",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      ].sort(),
    );
  });

  test("--detach prints the id; names, ids and prefixes address the container", async () => {
    const id = await engine.ok(["run", "-d", "--name", "sleeper", "busybox", "sleep", "100"]);
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    for (const name of ["sleeper", id, id.slice(0, 12), id.slice(0, 6)]) {
      expect(await engine.ok(["inspect", "-f", "{{.Id}} {{.State.Status}}", name])).toBe(`${id} running`);
    }
    expect(await engine.ok(["ps", "--format", "{{.Names}}"])).toBe("sleeper");
    const taken = await engine.berth(["run", "-d", "--name", "sleeper", "busybox"]);
    expect(taken.exitCode).toBe(125);
    expect(taken.stderr).toContain(`Conflict. The container name "/sleeper" is already in use by container "${id}"`);
    const refused = await engine.berth(["rm", "sleeper"]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("container is running");
    expect(await engine.ok(["stop", "-t", "1", "sleeper"])).toBe("sleeper");
    expect(await engine.ok(["inspect", "-f", "{{.State.ExitCode}}", "sleeper"])).toBe("137");
    expect(await engine.ok(["rm", "sleeper"])).toBe("sleeper");
  });

  test("forwards SIGINT to the container", async () => {
    const script = "trap 'echo caught; exit 9' INT; echo ready; while true; do sleep 0.1; done";
    const result = await engine.berth(["run", "--rm", "busybox", "sh", "-c", script], { interruptOn: "ready" });
    expect(result).toEqual({ exitCode: 9, stdout: "ready\ncaught\n", stderr: "" });
  });

  test("loses no SIGINT that comes while the container is made and started", async () => {
    const codes: number[] = [];
    for (let delay = 40; delay <= 240; delay += 20) {
      const args = ["run", "--rm", "--init", "--name", "early", "busybox", "sleep", "60"];
      const { exitCode } = await engine.berth(args, { interruptAfter: delay, timeout: 20_000 });
      codes.push(exitCode);
    }
    expect(codes.every((code) => code === 130)).toBe(true);
    expect(await engine.ok(["ps", "-aq", "--filter", "name=early"])).toBe("");
  });

  test("limits memory, cpus and processes by cgroups", async () => {
    const id = await engine.ok([
      "run",
      "-d",
      "-m",
      "32m",
      "--cpus",
      "0.5",
      "--pids-limit",
      "50",
      "busybox",
      "sleep",
      "100",
    ]);
    const pid = await engine.ok(["inspect", "-f", "{{.State.Pid}}", id]);
    const cgroups = readFileSync(`/proc/${pid}/cgroup`, "utf8");
    const path = (controller: string): string =>
      /:(\/.*)$/.exec(
        cgroups.split("\n").find((line) => line.split(":")[1]?.split(",").includes(controller)) ?? "",
      )?.[1] ?? "";
    expect(readFileSync(`/sys/fs/cgroup/memory${path("memory")}/memory.limit_in_bytes`, "utf8").trim()).toBe(
      String(32 * 1024 * 1024),
    );
    expect(readFileSync(`/sys/fs/cgroup/pids${path("pids")}/pids.max`, "utf8").trim()).toBe("50");
    expect(readFileSync(`/sys/fs/cgroup/cpu${path("cpu")}/cpu.cfs_quota_us`, "utf8").trim()).toBe("50000");
    await engine.ok(["rm", "-f", id]);
  });

  test("drops capabilities, and --privileged gives them", async () => {
    const effective = async (...flags: string[]): Promise<string> =>
      (await engine.ok(["run", "--rm", ...flags, "busybox", "grep", "CapEff", "/proc/self/status"])).split("\t")[1] ??
      "";
    expect(await effective()).toBe("00000000a80425fb");
    expect(await effective("--cap-drop", "ALL")).toBe("0000000000000000");
    expect(await effective("--cap-drop", "all", "--cap-add", "CHOWN")).toBe("0000000000000001");
    expect(Number.parseInt((await effective("--privileged")).slice(-8), 16)).toBeGreaterThan(0xa80425fb);
  });

  test("--read-only, --user, --workdir, --entrypoint, --tmpfs do what they say", async () => {
    expect((await engine.berth(["run", "--rm", "--read-only", "busybox", "touch", "/x"])).stderr).toContain(
      "Read-only file system",
    );
    expect(await engine.ok(["run", "--rm", "-u", "app", "busybox", "id", "-u"])).toBe("1000");
    expect(await engine.ok(["run", "--rm", "-w", "/made/here", "busybox", "pwd"])).toBe("/made/here");
    expect(await engine.ok(["run", "--rm", "--entrypoint", "echo", "busybox", "a", "b"])).toBe("a b");
    expect(
      await engine.ok(["run", "--rm", "--tmpfs", "/t:size=1m", "busybox", "grep", "-c", " /t tmpfs", "/proc/mounts"]),
    ).toBe("1");
    expect((await engine.berth(["run", "--rm", "-u", "nobody-here", "busybox"])).stderr).toContain(
      "unable to find user nobody-here: no matching entries in passwd file",
    );
  });

  test("mounts directories and named volumes, and fills a new volume from the image", async () => {
    const directory = mkdtempSync(join(tmpdir(), "berth-bind-"));
    await engine.ok(["run", "--rm", "-v", `${directory}:/data`, "busybox", "sh", "-c", "echo hello > /data/file"]);
    expect(readFileSync(join(directory, "file"), "utf8")).toBe("hello\n");
    expect(
      (await engine.berth(["run", "--rm", "-v", `${directory}:/data:ro`, "busybox", "touch", "/data/x"])).stderr,
    ).toContain("Read-only");
    await engine.ok(["run", "--rm", "-v", "etc-copy:/etc", "busybox", "true"]);
    expect(
      await engine.ok([
        "run",
        "--rm",
        "--mount",
        "type=volume,source=etc-copy,target=/mnt",
        "busybox",
        "head",
        "-1",
        "/mnt/passwd",
      ]),
    ).toContain("root:x:0");
    expect(await engine.ok(["volume", "ls", "-q"])).toBe("etc-copy");
    expect(await engine.ok(["volume", "rm", "etc-copy"])).toBe("etc-copy");
    const absent = await engine.berth(["run", "--rm", "--mount", "type=bind,source=/no/such,target=/mnt", "busybox"]);
    expect(absent.exitCode).toBe(125);
    expect(absent.stderr).toContain("bind source path does not exist: /no/such");
    rmSync(directory, { recursive: true });
  });

  test("--restart on-failure:2 starts it again twice", async () => {
    const id = await engine.ok(["run", "-d", "--restart", "on-failure:2", "busybox", "sh", "-c", "echo again; exit 3"]);
    await engine.ok(["wait", id]);
    await until(
      async () => (await engine.ok(["inspect", "-f", "{{.RestartCount}} {{.State.Status}}", id])) === "2 exited",
    );
    expect(await engine.ok(["logs", id])).toBe("again\nagain\nagain");
    await engine.ok(["rm", id]);
  });
});

describe("berth exec", () => {
  test("runs further processes with their own exit codes, streams and stdin", async () => {
    const id = await engine.ok(["run", "-d", "busybox", "sleep", "100"]);
    expect(await engine.berth(["exec", id, "sh", "-c", "echo o; echo e >&2; exit 5"])).toEqual({
      exitCode: 5,
      stdout: "o\n",
      stderr: "e\n",
    });
    expect((await engine.berth(["exec", "-i", id, "cat"], { input: "through\n" })).stdout).toBe("through\n");
    const missing = await engine.berth(["exec", id, "nothing-there"]);
    expect(missing.exitCode).toBe(127);
    expect(missing.stdout + missing.stderr).toContain('exec: "nothing-there": executable file not found in $PATH');
    await engine.ok(["rm", "-f", id]);
    expect((await engine.berth(["exec", id, "true"])).stderr).toContain("No such container");
  });
});

describe("the default bridge", () => {
  test("publishes a port that this host reaches through 127.0.0.1, and frees it", async () => {
    const id = await engine.ok([
      "run",
      "-d",
      "-p",
      "127.0.0.1:0:80",
      "busybox",
      "sh",
      "-c",
      "while true; do echo served | nc -l -p 80; done",
    ]);
    const address = await engine.ok(["port", id, "80/tcp"]);
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    const port = Number(address.split(":")[1]);
    await until(async () => (await readAll(port)) === "served\n");
    const taken = await engine.berth(["run", "--rm", "-p", `127.0.0.1:${port}:80`, "busybox"]);
    expect(taken.exitCode).toBe(125);
    expect(taken.stderr).toContain("port is already allocated");
    await engine.ok(["rm", "-f", id]);
    expect(await engine.ok(["ps", "-aq"])).toBe("");
  });

  test("gives containers addresses at which they reach one another, and /etc/hosts", async () => {
    const id = await engine.ok(["run", "-d", "busybox", "sh", "-c", "while true; do echo hello | nc -l -p 81; done"]);
    const address = await engine.ok(["inspect", "-f", "{{.NetworkSettings.IPAddress}}", id]);
    await until(async () => (await engine.berth(["run", "--rm", "busybox", "nc", address, "81"])).stdout === "hello\n");
    const hosts = await engine.ok([
      "run",
      "--rm",
      "--hostname",
      "me",
      "--add-host",
      "db:10.0.0.9",
      "busybox",
      "cat",
      "/etc/hosts",
    ]);
    expect(hosts).toContain("10.0.0.9\tdb");
    expect(hosts).toMatch(/^[\d.]+\tme$/m);
    expect(await engine.ok(["run", "--rm", "--network", `container:${id}`, "busybox", "nc", "127.0.0.1", "81"])).toBe(
      "hello",
    );
    expect(await engine.ok(["run", "--rm", "--network", "none", "busybox", "ls", "/sys/class/net"])).toBe("lo");
    await engine.ok(["rm", "-f", id]);
  });
});

function readAll(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("close", () => resolve(text));
    socket.on("error", () => resolve(""));
  });
}
