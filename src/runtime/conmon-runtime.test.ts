import { afterAll, beforeAll, expect, test } from "bun:test";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { LogEncoder } from "#formats/container-log-encode.ts";
import { runCommand } from "#sys/command.ts";
import { isAlive } from "#sys/process-info.ts";
import type { ContainerSpec, ExecSpec } from "./container-runtime.ts";
import { readLog } from "./logs/reader.ts";
import { LogRotator } from "./logs/rotation.ts";
import { logText, RuntimeTestBed } from "./runtime-test-bed.ts";
import { StartError } from "./start-error.ts";

const SIGTERM = 15;
const SIGKILL = 9;

let fixture: RuntimeTestBed;
let rootfs: string;

beforeAll(async () => {
  fixture = new RuntimeTestBed();
  rootfs = await fixture.rootfs();
});

afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
  const left = readdirSync("/sys/fs/cgroup", { recursive: false })
    .map((name) => join("/sys/fs/cgroup", String(name), fixture.cgroupParent))
    .filter((path) => existsSync(path));
  expect(left).toEqual([]);
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(fixture.directory);
});

async function run(script: string, changes: Partial<ContainerSpec> = {}): ReturnType<RuntimeTestBed["run"]> {
  return await fixture.run(["sh", "-c", script], { rootfs, ...changes });
}

async function startSleeper(changes: Partial<ContainerSpec> = {}): Promise<ContainerSpec> {
  const spec = await fixture.spec(["sleep", "1000"], { rootfs, ...changes });
  await fixture.start(spec);
  return spec;
}

async function exec(
  spec: ContainerSpec,
  args: readonly string[],
  changes: Partial<ExecSpec> = {},
): Promise<ExecResult> {
  const process = await fixture.runtime.exec({
    containerId: spec.id,
    rootfs: spec.rootfs,
    args,
    env: ["PATH=/bin"],
    cwd: "/",
    user: "",
    terminal: false,
    openStdin: false,
    privileged: false,
    ...changes,
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(process.stdout as never).text(),
    process.stderr ? new Response(process.stderr as never).text() : "",
    process.exitCode,
  ]);
  return { stdout, stderr, exitCode };
}

interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

test("ConmonRuntime runs a command: exit code, stdout and stderr apart, nothing of the host's environment", async () => {
  expect(await run("echo out; echo err >&2; env; exit 42")).toEqual({
    exitCode: 42,
    stdout: "out\nSHLVL=1\nHOME=/root\nPATH=/bin\nPWD=/\n",
    stderr: "err\n",
  });
});

test("ConmonRuntime.create() fails as Docker when the command cannot be run, and leaves nothing", async () => {
  const missing = run("", { args: ["nosuch"] });
  await expect(missing).rejects.toThrow(
    /^OCI runtime create failed: (runc create failed: )?unable to start container process: exec: "nosuch": executable file not found in \$PATH: unknown$/,
  );
  await expect(missing).rejects.toMatchObject({ exitCode: 127 });
  const directory = run("", { args: ["/etc"] });
  await expect(directory).rejects.toBeInstanceOf(StartError);
  await expect(directory).rejects.toMatchObject({ exitCode: 126 });
  await expect(run("true", { user: "zoe" })).rejects.toThrow("unable to find user zoe");
  expect(readdirSync(join(fixture.directory, "bundles"))).toEqual([]);
  expect(readdirSync(join(fixture.directory, "state/runtime"))).toEqual([]);
});

test("ConmonRuntime applies user, groups, working directory, read-only root, tmpfs, hostname and limits", async () => {
  const { stdout } = await run("id; pwd; hostname; touch /x 2>&1; touch /t/y && echo t; ulimit -n; ulimit -c", {
    user: "app",
    groupAdd: ["wheel"],
    cwd: "/made/here",
    readonlyRootfs: true,
    hostname: "box",
    tmpfs: { "/t": "mode=1777" },
    ulimits: [{ name: "nofile", soft: 100, hard: 200 }],
  });
  expect(stdout).toBe(
    "uid=1000(app) gid=1000(app) groups=10(wheel),29(audio),1000(app)\n/made/here\nbox\ntouch: /x: Read-only file system\nt\n100\n0\n",
  );
});

test("ConmonRuntime's default profile: fourteen capabilities, seccomp, masked paths, no mounts", async () => {
  const { stdout } = await run(
    "grep -E 'CapEff|Seccomp:' /proc/self/status; ls /sys/firmware /proc/acpi 2>/dev/null | grep -c .x; mount -t tmpfs x /tmp 2>&1; echo 1 > /proc/sys/kernel/hostname",
  );
  expect(stdout).toContain("CapEff:\t00000000a80425fb\nSeccomp:\t2\n");
  expect(stdout).toMatch(/mount: .*(denied|permitted)/);
});

test("ConmonRuntime runs privileged containers with all that the engine has", async () => {
  const { stdout } = await run("mount -t tmpfs x /tmp && echo mounted; ls /dev/kmsg; grep Seccomp: /proc/self/status", {
    privileged: true,
  });
  expect(stdout).toBe("mounted\n/dev/kmsg\nSeccomp:\t0\n");
});

test("ConmonRuntime binds host paths, read-only ones too", async () => {
  const source = join(fixture.directory, "bound");
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, "file"), "content");
  const mounts = [
    { source, destination: "/a", readonly: true },
    { source, destination: "/b/c", readonly: false },
  ];
  const { stdout } = await run("cat /a/file; touch /a/no 2>&1; touch /b/c/yes", { mounts });
  expect(stdout).toBe("contenttouch: /a/no: Read-only file system\n");
  expect(existsSync(join(source, "yes"))).toBe(true);
});

test("ConmonRuntime refuses a root whose /dev leads out, before anything is written there", async () => {
  const root = await fixture.rootfs();
  const victim = join(fixture.directory, "victim");
  mkdirSync(victim);
  await runCommand("rmdir", [join(root, "dev")], { okCodes: [0, 1] });
  symlinkSync(victim, join(root, "dev"));
  await expect(run("true", { rootfs: root })).rejects.toThrow('"/dev" is a symbolic link');
  expect(readdirSync(victim)).toEqual([]);
});

test("ConmonRuntime.kill() sends signals, and the exit code tells", async () => {
  const spec = await fixture.spec(["sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"], {
    rootfs,
  });
  await fixture.start(spec);
  const ready = readLog({ path: spec.logPath, follow: true, stdout: true, stderr: true });
  await ready.next();
  await fixture.runtime.kill(spec.id, SIGTERM);
  expect((await fixture.exit(spec.id)).exitCode).toBe(7);
  await fixture.runtime.kill(spec.id, SIGTERM);
  const killed = await startSleeper();
  await fixture.runtime.kill(killed.id, SIGKILL);
  expect((await fixture.exit(killed.id)).exitCode).toBe(137);
});

test("ConmonRuntime.openStdin() reaches the command; its end is end-of-file with stdinOnce", async () => {
  const spec = await fixture.spec(["sh", "-c", "wc -c; echo done"], { rootfs, openStdin: true, stdinOnce: true });
  await fixture.start(spec);
  const stdin = await fixture.runtime.openStdin(spec.id);
  const block = Buffer.alloc(100_000, "x");
  for (let index = 0; index < 10; index++) {
    if (!stdin.writable.write(block))
      await new Promise<void>((resolve) => stdin.writable.once("drain", () => resolve()));
  }
  stdin.writable.end();
  await fixture.exit(spec.id);
  expect(await logText(spec, "stdout")).toBe("1000000\ndone\n");
});

test("ConmonRuntime.openStdin() keeps stdin open for the next client without stdinOnce", async () => {
  const spec = await fixture.spec(["sh", "-c", "read a; echo got $a; read b; echo got $b"], {
    rootfs,
    openStdin: true,
  });
  await fixture.start(spec);
  const first = await fixture.runtime.openStdin(spec.id);
  first.writable.end("one\n");
  const output = readLog({ path: spec.logPath, follow: true, stdout: true, stderr: true });
  await output.next();
  const second = await fixture.runtime.openStdin(spec.id);
  second.writable.write("two\n");
  expect((await fixture.exit(spec.id)).exitCode).toBe(0);
  expect(await logText(spec, "stdout")).toBe("got one\ngot two\n");
});

test("ConmonRuntime gives a terminal, its size and its resizing", async () => {
  const spec = await fixture.spec(["sh"], {
    rootfs,
    terminal: true,
    openStdin: true,
    stdinOnce: true,
    terminalSize: { rows: 33, columns: 99 },
  });
  await fixture.start(spec);
  for (const rows of [20, 30, 44]) await fixture.runtime.resize(spec.id, { rows, columns: 111 });
  const stdin = await fixture.runtime.openStdin(spec.id);
  stdin.writable.write("until [ $(stty size | cut -d' ' -f1) = 44 ]; do sleep 0.01; done; stty size; tty; exit 5\n");
  expect((await fixture.exit(spec.id)).exitCode).toBe(5);
  const text = await logText(spec, "stdout");
  expect(text).toContain("44 111\r\n");
  expect(text).toContain("/dev/pts/0\r\n");
});

test("ConmonRuntime: an open stdin never stalls a container that writes much", async () => {
  const script = "for i in $(seq 1 20000); do echo $i xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done";
  const spec = await fixture.spec(["sh", "-c", script], { rootfs, openStdin: true, stdinOnce: true });
  await fixture.runtime.create(spec);
  const stdin = await fixture.runtime.openStdin(spec.id);
  await fixture.runtime.start(spec.id);
  expect((await fixture.exit(spec.id)).exitCode).toBe(0);
  stdin.close();
  expect((await logText(spec, "stdout")).split("\n")).toHaveLength(20_001);
});

test("ConmonRuntime.exec() runs further processes: output, exit codes, user, terminal", async () => {
  const spec = await startSleeper();
  expect(await exec(spec, ["sh", "-c", "echo out; echo err >&2; exit 9"])).toEqual({
    stdout: "out\n",
    stderr: "err\n",
    exitCode: 9,
  });
  expect((await exec(spec, ["id"], { user: "app" })).stdout).toContain("uid=1000(app)");
  expect(
    (await exec(spec, ["sh", "-c", "tty; stty size"], { terminal: true, terminalSize: { rows: 20, columns: 70 } }))
      .stdout,
  ).toBe("/dev/pts/0\r\n20 70\r\n");
  expect(await exec(spec, ["nosuch"])).toEqual({
    stdout: expect.stringMatching(
      /^OCI runtime exec failed: (exec failed: )?unable to start container process: exec: "nosuch": executable file not found in \$PATH: unknown\r\n$/,
    ),
    stderr: "",
    exitCode: 127,
  });
  expect((await exec(spec, ["/etc"], { terminal: true })).exitCode).toBe(126);
  // A program that says what runc would say is believed to be itself.
  expect((await exec(spec, ["sh", "-c", "echo exec failed: no >&2; exit 1"])).stderr).toBe("exec failed: no\n");
  await expect(exec(spec, ["true"], { user: "zoe" })).rejects.toThrow("unable to find user zoe");
});

test("ConmonRuntime.exec() gives an exec the container's limits, whatever the runtime makes of them", async () => {
  const spec = await startSleeper({ ulimits: [{ name: "nofile", soft: 100, hard: 200 }] });
  const settle =
    'i=0; until [ "$(ulimit -Sn) $(ulimit -Hn)" = "100 200" ] || [ $i = 300 ]; do i=$((i+1)); sleep 0.01; done';
  const execs = Array.from({ length: 6 }, () => exec(spec, ["sh", "-c", `${settle}; ulimit -Sn; ulimit -Hn`]));
  for (const { stdout } of await Promise.all(execs)) expect(stdout).toBe("100\n200\n");
});

test("ConmonRuntime.exec() passes stdin and signals", async () => {
  const spec = await startSleeper();
  const cat = {
    containerId: spec.id,
    rootfs,
    env: ["PATH=/bin"],
    cwd: "/",
    user: "",
    terminal: false,
    privileged: false,
  };
  const reader = await fixture.runtime.exec({ ...cat, args: ["cat"], openStdin: true });
  reader.stdin?.end("through");
  expect(await new Response(reader.stdout as never).text()).toBe("through");
  expect(await reader.exitCode).toBe(0);
  const sleeper = await fixture.runtime.exec({ ...cat, args: ["sh", "-c", "echo up; sleep 100"], openStdin: false });
  await once(sleeper.stdout, "data");
  sleeper.kill(SIGKILL);
  expect(await sleeper.exitCode).toBe(137);
});

test("ConmonRuntime.pause() stops and resume() goes on; a paused container can be removed", async () => {
  const spec = await startSleeper();
  await fixture.runtime.pause(spec.id);
  expect(await fixture.newRuntime().adopt(spec.id)).toMatchObject({ kind: "running", paused: true });
  await fixture.runtime.resume(spec.id);
  await fixture.runtime.pause(spec.id);
  await fixture.runtime.remove(spec.id);
  expect((await fixture.exit(spec.id)).exitCode).toBe(137);
});

test("ConmonRuntime.pause() and resume() are what runc itself says of the container", async () => {
  const spec = await startSleeper();
  const { path } = await fixture.catalog.find("");
  const status = async (): Promise<unknown> => {
    const { stdout } = await runCommand(path, [
      "--root",
      join(fixture.directory, "state/roots", fixture.catalog.defaultName),
      "state",
      spec.id,
    ]);
    return JSON.parse(stdout).status;
  };
  await fixture.runtime.pause(spec.id);
  expect(await status()).toBe("paused");
  await fixture.runtime.resume(spec.id);
  expect(await status()).toBe("running");
  await fixture.runtime.remove(spec.id);
});

test("ConmonRuntime.pause() refuses a container that has ended, or ends meanwhile", async () => {
  const ended = await fixture.spec(["true"], { rootfs });
  await fixture.start(ended);
  await fixture.exit(ended.id);
  await expect(fixture.runtime.pause(ended.id)).rejects.toThrow(`container ${ended.id} is not running`);
  await expect(fixture.runtime.resume(ended.id)).rejects.toThrow(`container ${ended.id} is not running`);
  // Forking all the time, it is not frozen at the first look.
  const spec = await fixture.spec(["sh", "-c", "while :; do true & true; done"], { rootfs });
  await fixture.start(spec);
  const pausing = fixture.runtime.pause(spec.id).catch((error: unknown) => error);
  await fixture.runtime.kill(spec.id, SIGKILL, true);
  expect(String(await pausing)).toContain(`container ${spec.id} is not running`);
  expect((await fixture.exit(spec.id)).exitCode).toBe(137);
});

test("ConmonRuntime.kill() with SIGKILL ends all of a container that is frozen, whoever froze it", async () => {
  const spec = await startSleeper();
  await fixture.runtime.pause(spec.id);
  await fixture.runtime.kill(spec.id, SIGKILL, true);
  expect((await fixture.exit(spec.id)).exitCode).toBe(137);
  await fixture.runtime.remove(spec.id);
});

test("ConmonRuntime.exec() gives unlimited limits on, and makes a program on a terminal wait that nobody reads", async () => {
  const spec = await startSleeper({ ulimits: [{ name: "cpu", soft: -1, hard: -1 }] });
  expect(await exec(spec, ["sh", "-c", "ulimit -t"])).toMatchObject({ exitCode: 0, stdout: "unlimited\n" });
  const process = await fixture.runtime.exec({
    ...{ containerId: spec.id, rootfs, env: ["PATH=/bin"], cwd: "/", user: "", openStdin: false, privileged: false },
    ...{ args: ["yes", "x".repeat(200)], terminal: true },
  });
  const output = process.stdout as Readable;
  let waiting = -1;
  // Nothing comes any more.
  while (waiting !== output.readableLength + (output as Duplex).writableLength || waiting <= 0) {
    waiting = output.readableLength + (output as Duplex).writableLength;
    await Bun.sleep(300);
  }
  expect(waiting).toBeLessThan(4 * 1024 * 1024);
  // It goes on with a reader.
  let read = 0;
  for await (const chunk of output) {
    read += chunk.length;
    if (read > 3 * waiting) break;
  }
  process.kill(SIGKILL);
  expect(await process.exitCode).toBe(137);
}, 60_000);

test("ConmonRuntime.top() lists the container's processes only", async () => {
  const spec = await startSleeper();
  const commands = async (): Promise<readonly (string | undefined)[]> => {
    const { titles, processes } = await fixture.runtime.top(spec.id, []);
    expect(titles).toContain("PID");
    return processes.map((row) => row.at(-1));
  };
  // For a moment after its start a process is still runc, on its way to the command.
  for (let look = 0; look < 100 && (await commands())[0]?.includes("runc"); look++) await Bun.sleep(5);
  expect(await commands()).toEqual(["sleep 1000"]);
});

test("ConmonRuntime tells of a container that the kernel killed for memory", async () => {
  const spec = await fixture.spec(["sh", "-c", "x=a; while :; do x=$x$x; done"], {
    rootfs,
    resources: { memory: 16 * 1024 * 1024 },
  });
  await fixture.start(spec);
  expect(await fixture.exit(spec.id)).toMatchObject({ exitCode: 137, oomKilled: true });
});

test("ConmonRuntime.adopt() takes up running containers and tells of those that ended meanwhile", async () => {
  const running = await startSleeper();
  const ended = await fixture.spec(["sh", "-c", "exit 3"], { rootfs });
  await fixture.start(ended);
  await fixture.exit(ended.id);
  // The former engine was killed in an exec.
  const bundle = join(fixture.directory, "bundles", running.id);
  mkdirSync(join(bundle, "exec-0123456789abcdef"));
  writeFileSync(join(bundle, "exec-0123456789abcdef", "process.json"), "{}");
  const next = fixture.newRuntime();
  expect(await next.adopt(ended.id)).toMatchObject({ kind: "exited", exit: { id: ended.id, exitCode: 3 } });
  expect(await next.adopt(running.id)).toMatchObject({ kind: "running", paused: false });
  expect(readdirSync(bundle).filter((name) => name.startsWith("exec-"))).toEqual([]);
  expect(await next.adopt("0".repeat(64))).toEqual({ kind: "lost" });
  const exit = new Promise((resolve) => next.onExit(resolve));
  await next.kill(running.id, SIGKILL);
  expect(await exit).toMatchObject({ id: running.id, exitCode: 137 });
  await next.remove(running.id);
  await next.remove(ended.id);
});

test("ConmonRuntime.adopt() ends a container that was created and never started", async () => {
  const spec = await fixture.spec(["sleep", "1000"], { rootfs });
  await fixture.runtime.create(spec);
  const next = fixture.newRuntime();
  const exit = new Promise((resolve) => next.onExit(resolve));
  expect(await next.adopt(spec.id)).toMatchObject({ kind: "running" });
  expect(await exit).toMatchObject({ id: spec.id, exitCode: 137 });
  await next.remove(spec.id);
});

test("ConmonRuntime notices a killed conmon and ends its container, also one that was adopted", async () => {
  for (const isAdopted of [false, true]) {
    const spec = await fixture.spec(["sleep", "1000"], { rootfs });
    const { conmonPid, pid } = await fixture.runtime.create(spec);
    await fixture.runtime.start(spec.id);
    const runtime = isAdopted ? fixture.newRuntime() : fixture.runtime;
    if (isAdopted) await runtime.adopt(spec.id);
    const exit = new Promise((resolve) => runtime.onExit((event) => event.id === spec.id && resolve(event)));
    process.kill(conmonPid, "SIGKILL");
    expect(await exit).toMatchObject({ exitCode: 137, lost: true });
    await runtime.remove(spec.id);
    expect(isAlive({ pid, startTime: 0 })).toBe(false);
    expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
  }
});

test("readLog({follow}) gives all 200,000 lines of a container across rotations, to the last", async () => {
  const script = "i=0; while [ $i -lt 200000 ]; do echo $i; i=$((i+1)); done";
  const spec = await fixture.spec(["sh", "-c", script], { rootfs });
  const rotator = new LogRotator((id) => fixture.runtime.reopenLog(id));
  await fixture.runtime.create(spec);
  rotator.watch(spec.id, spec.logPath, { maxSize: 1024 * 1024, maxFile: 3, compress: false });
  const ended = fixture.exit(spec.id);
  const reader = readLog({ path: spec.logPath, follow: true, stdout: true, stderr: true, ended });
  await fixture.runtime.start(spec.id);
  const encoder = new LogEncoder({ framed: false, timestamps: false });
  const output: Buffer[] = [];
  for await (const batch of reader) output.push(encoder.encode(batch));
  rotator.close();
  const wanted = Array.from({ length: 200_000 }, (_, number) => `${number}\n`).join("");
  expect(Buffer.concat(output).toString() === wanted).toBe(true);
  // The newest is missing when the container ended right after a rotation.
  expect(readdirSync(dirname(spec.logPath)).length).toBeOneOf([2, 3]);
}, 30_000);

test("ConmonRuntime.runOnce() streams output and gives the exit code", async () => {
  const spec = await fixture.spec(["sh", "-c", "echo out; echo err >&2; exit 6"], { rootfs });
  let output = "";
  let errors = "";
  const sink = {
    stdout: (bytes: Uint8Array): void => {
      output += Buffer.from(bytes);
    },
    stderr: (bytes: Uint8Array): void => {
      errors += Buffer.from(bytes);
    },
  };
  expect(await fixture.runtime.runOnce(spec, sink, new AbortController().signal)).toBe(6);
  expect([output, errors]).toEqual(["out\n", "err\n"]);
  const missing = await fixture.spec(["nosuch"], { rootfs });
  await expect(fixture.runtime.runOnce(missing, sink, new AbortController().signal)).rejects.toThrow(
    /^OCI runtime create failed: (runc create failed: )?unable to start container process: exec: "nosuch"/,
  );
  expect(errors).toBe("err\n");
});

test("ConmonRuntime.runOnce() kills everything at an abort", async () => {
  const spec = await fixture.spec(["sh", "-c", "trap '' TERM INT; (sleep 50071)& echo up; sleep 60071"], { rootfs });
  const abort = new AbortController();
  const up = Promise.withResolvers<void>();
  const result = fixture.runtime.runOnce(spec, { stdout: () => up.resolve(), stderr: () => undefined }, abort.signal);
  await up.promise;
  abort.abort();
  await expect(result).rejects.toMatchObject({ code: "cancelled" });
  const { stdout } = await runCommand("ps", ["-eo", "args"]);
  expect(stdout).not.toMatch(/sleep (50071|60071)/);
});
