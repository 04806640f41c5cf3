import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { BERTH, PrivateEngine } from "../../tools/harness/private-engine.ts";
import { until } from "../../tools/harness/until.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

/** Processes whose command line holds `word`. */
function processesWith(word: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(word);
      } catch {
        return false;
      }
    });
}

function mountsOfEngine(): string[] {
  const lines = readFileSync("/proc/self/mountinfo", "latin1").split("\n");
  // Layer mounts stay for some seconds on purpose.
  return lines.filter((line) => line.includes(engine.directory) && !line.includes(" erofs "));
}

function residentBytes(): number {
  const [pid = ""] = processesWith(`--data-root\0${engine.dataRoot}`);
  const pages = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1];
  return Number(pages) * 4096;
}

describe("a build's client goes away", () => {
  const POINTS: Readonly<Record<string, string>> = {
    "while a command runs": "FROM busybox\nRUN sleep 30303\n",
    "while a command floods": "FROM busybox\nRUN yes 30303\n",
    "while two stages run": "FROM busybox AS a\nRUN sleep 30303\nFROM busybox\nRUN sleep 30303\nCOPY --from=a /x /\n",
    "while a step has mounts of every kind":
      "FROM busybox\nRUN --mount=target=/c --mount=type=cache,target=/d --mount=type=tmpfs,target=/e --mount=from=busybox,target=/f,rw sleep 30303\n",
    "while a step waits for a locked cache":
      "FROM busybox AS a\nRUN --mount=type=cache,id=l,target=/d,sharing=locked sleep 30303\nFROM busybox\nRUN --mount=type=cache,id=l,target=/d,sharing=locked sleep 30303 # b\nCOPY --from=a /x /\n",
  };

  test.each(Object.entries(POINTS))("%s: all is gone", async (_, dockerfile) => {
    await using context = makeContext({ Dockerfile: dockerfile });
    const child = spawn(BERTH, ["build", "--no-cache", "--progress", "plain", context.path], {
      env: { ...process.env, BERTH_HOST: `unix://${engine.socket}` },
      stdio: ["ignore", "ignore", "ignore"],
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await until(() => processesWith("30303").length > 0);
    child.kill("SIGINT");
    await ended;
    await until(() => processesWith("30303").length === 0);
    await until(() => mountsOfEngine().length === 0);
    expect(readdirSync(join(engine.dataRoot, "tmp"))).toEqual([]);
    await until(() => readdirSync(join(engine.dataRoot, "snapshots")).length === 0);
  });

  test("at any moment of a short build nothing stays", async () => {
    await using context = makeContext({
      Dockerfile: "FROM busybox\nCOPY a /a\nRUN --mount=type=cache,target=/c echo x > /b\nRUN cat /b\n",
      a: "1",
    });
    for (const delay of [5, 20, 40, 70, 110, 160, 220]) {
      await engine.berth(["build", "--no-cache", "-q", context.path], { interruptAfter: delay });
    }
    await until(() => mountsOfEngine().length === 0);
    expect(readdirSync(join(engine.dataRoot, "tmp"))).toEqual([]);
    expect((await engine.berth(["build", "-q", context.path])).exitCode).toBe(0);
  });
});

test("endless output does not fill the engine's memory when the client does not read", async () => {
  const printed = 200_000_000;
  await using context = makeContext({ Dockerfile: `FROM busybox\nRUN yes 40404 | head -c ${printed}\n` });
  const tar = Bun.spawnSync(["tar", "-cf", "-", "-C", context.path, "."]).stdout;
  const before = residentBytes();
  const socket = connect(engine.socket);
  socket.write(
    `POST /v1.43/build?nocache=1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-tar\r\nContent-Length: ${tar.length}\r\n\r\n`,
  );
  socket.write(tar);
  socket.pause();
  try {
    await until(() => processesWith("40404").length > 0);
    await until(() => processesWith("40404").length === 0, 280_000);
    // What was garbage when the command ended is collected soon, what is kept is not.
    await until(() => residentBytes() - before < 150_000_000);
  } finally {
    socket.destroy();
  }
}, 300_000);

test("a step has a limit of processes, and what it has started ends with it", async () => {
  await using limited = makeContext({
    Dockerfile: "FROM busybox\nRUN cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null; true\n",
  });
  const shown = await engine.berth(["build", "--no-cache", "--progress", "plain", limited.path]);
  expect(shown.stderr).toMatch(/#\d+ [\d.]+ \d+\n/);
  await using bomb = makeContext({
    Dockerfile: "FROM busybox\nRUN for i in $(seq 200); do (sleep 50505 &) ; done; exit 3\n",
  });
  const failed = await engine.berth(["build", "--no-cache", bomb.path]);
  expect(failed.stderr).toContain("exit code: 3");
  await until(() => processesWith("50505").length === 0);
});

test("an engine killed in a build leaves no mount to the next one, and the next build goes on from what was done", async () => {
  await using context = makeContext({
    Dockerfile:
      "FROM busybox\nRUN echo once > /a\nRUN --mount=type=secret,id=k,env=K --mount=type=secret,id=k --mount=type=cache,target=/c sleep 3.60606\n",
  });
  await using secrets = makeContext({ key: "s3cr3t-606" });
  const words = ["build", "--progress", "plain", "--secret", `id=k,src=${join(secrets.path, "key")}`, context.path];
  const running = engine.berth(words);
  await until(() => processesWith("sleep\x003.60606").length > 0);
  await engine.crash();
  await running;
  await engine.start();
  expect(mountsOfEngine()).toEqual([]);
  expect(processesWith("sleep\x003.60606")).toEqual([]);
  expect(Bun.spawnSync(["grep", "-rl", "s3cr3t-606", engine.directory]).stdout.toString()).toBe("");
  const again = await engine.berth(words);
  expect(again.stderr).toMatch(/RUN echo once > \/a\n#\d+ CACHED/);
  expect(again.exitCode).toBe(0);
});

describe("a context cannot lead out", () => {
  test("by a link: it means what is in the context", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\nCOPY out /out\n" });
    symlinkSync("/etc/passwd", join(context.path, "out"));
    const built = await engine.berth(["build", context.path]);
    expect(built.stderr).toContain('"/etc/passwd": not found');
    symlinkSync("/", join(context.path, "root"));
    const all = await engine.berth(["build", "-q", "-t", "links", "-f", "-", context.path], {
      input: 'FROM busybox\nCOPY . /c/\nCMD ["ls", "-l", "/c"]\n',
    });
    expect(all.exitCode).toBe(0);
    expect(await engine.ok(["run", "--rm", "links"])).toContain("out -> /etc/passwd");
  });

  test("by a name in a tar, or .. in the Dockerfile", async () => {
    const tar = Bun.spawnSync(["tar", "-P", "--transform", "s,^,../../,", "-cf", "-", "/etc/hostname"]).stdout;
    const built = await engine.berth(["build", "-"], { input: tar });
    expect(built.stderr).toContain("is no path within it");
    await using context = makeContext({ Dockerfile: "FROM busybox\nCOPY ../../../etc/hostname /\n" });
    expect((await engine.berth(["build", context.path])).stderr).toContain('"/etc/hostname": not found');
  });
});
