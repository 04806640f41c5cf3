/** However a command ends that had the terminal raw, the terminal is as before. `script` gives it one, `stty` tells. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { BERTH, PrivateEngine } from "../../tools/harness/private-engine.ts";
import { until } from "../../tools/harness/until.ts";

const directory = mkdtempSync(join(tmpdir(), "berth-terminals-"));
let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  await engine.ok(["run", "-d", "--name", "box", "busybox", "sleep", "1000"]);
});

afterAll(async () => {
  await engine.close();
  rmSync(directory, { recursive: true });
});

interface Ending {
  readonly exitCode: number;
  /** What `stty -g` says before and after are the same. */
  readonly isRestored: boolean;
}

/** Runs `berth ARGS` on a terminal of its own; `end` is a shell command that ends it once the container has said "ready". */
async function endOnTerminal(args: string, end: string): Promise<Ending> {
  const script = [
    "stty rows 24 cols 80; tty > tty; stty -g > before",
    `(until grep -q 'read[y]' typescript 2> /dev/null; do sleep 0.05; done; ${end}) &`,
    `sh -c 'echo $$ > pid; exec "$BERTH" ${args}'; echo $? > code`,
    "stty -g > after; rm -f pid",
  ].join("\n");
  await run("/usr/bin/script", ["-qfec", script, "typescript"], {
    cwd: directory,
    env: { BERTH, BERTH_HOST: `unix://${engine.socket}`, ENGINE: String(engine.pid), SHELL: "/bin/sh" },
    timeout: 60_000,
  });
  const text = (name: string): string => readFileSync(join(directory, name), "utf8").trim();
  const ending = { exitCode: Number(text("code")), isRestored: text("before") === text("after") };
  for (const name of ["typescript", "code", "before", "after"]) rmSync(join(directory, name));
  return ending;
}

/** Another size of the terminal, until the container has seen it; then the end. */
const RESIZE =
  "stty rows 41 cols 101 < $(cat tty); until grep -q '41 101' typescript; do sleep 0.05; done; kill -INT $(cat pid)";

/** The word stands in no command line: `script` writes that down too. */
const SHELL = String.raw`sh -c "echo rea\dy; exec sleep 100"`;

describe("a raw terminal", () => {
  const signals: readonly (readonly [string, number])[] = [
    ["HUP", 129],
    ["INT", 130],
    ["TERM", 143],
  ];
  for (const [signal, exitCode] of signals) {
    test(`is restored when SIG${signal} ends exec -it`, async () => {
      const end = `kill -${signal} $(cat pid)`;
      expect(await endOnTerminal(`exec -it box ${SHELL}`, end)).toEqual({ exitCode, isRestored: true });
    });
  }

  test("is restored when the engine dies in the middle of run -it", async () => {
    const ending = await endOnTerminal(`run -it busybox ${SHELL}`, "kill -KILL $ENGINE");
    expect(ending).toEqual({ exitCode: 125, isRestored: true });
    await engine.start();
  });
});

describe("an engine that ends in the middle", () => {
  const lost: readonly (readonly [args: readonly string[], exitCode: number, stderr: string])[] = [
    [["logs", "-f", "lost"], 1, "unexpected EOF\n"],
    [["attach", "lost"], 1, "unexpected EOF\n"],
    [["wait", "lost"], 1, "unexpected EOF\n"],
    [["events"], 1, "unexpected EOF\n"],
    [["start", "-a", "still"], 125, "error waiting for container: unexpected EOF\n"],
    [["exec", "lost", "sleep", "100"], 255, ""],
  ];

  test("is told in docker's words and exit codes", async () => {
    await engine.ok(["run", "-d", "--name", "lost", "busybox", "sleep", "1000"]);
    await engine.ok(["create", "--name", "still", "busybox", "sleep", "1000"]);
    const descriptors = (): number => readdirSync(`/proc/${engine.pid}/fd`).length;
    const before = descriptors();
    const running = lost.map(([args]) => engine.berth(args));
    const isReady = async (): Promise<boolean> =>
      (await engine.ok(["ps", "-q"])).split("\n").length >= 3 &&
      (await engine.ok(["top", "lost"])).split("\n").length === 3;
    await until(async () => descriptors() >= before + lost.length && (await isReady()));
    // All are connected; the last request may still be on its way.
    await Bun.sleep(300);
    await engine.crash();
    const endings = await Promise.all(running);
    await engine.start();
    await engine.ok(["rm", "-f", "lost", "still"]);
    expect(endings.map(({ exitCode }) => exitCode)).toEqual(lost.map(([, exitCode]) => exitCode));
    for (const [at, { stderr }] of endings.entries()) expect(stderr).toStartWith(lost[at]?.[2] ?? "");
  });
});

describe("the size of the terminal", () => {
  const sizes = String.raw`sh -c "echo rea\dy; while :; do stty size; sleep 0.1; done"`;
  for (const command of ["run --rm -it busybox", "exec -it box"]) {
    test(`reaches what ${command} runs, whenever it changes`, async () => {
      expect(await endOnTerminal(`${command} ${sizes}`, RESIZE)).toEqual({ exitCode: 130, isRestored: true });
    });
  }

  test("reaches what attach finds, which draws itself anew", async () => {
    await engine.ok([
      "run",
      "-dit",
      "--name",
      "shell",
      "busybox",
      "sh",
      "-c",
      "while :; do echo ready; stty size; sleep 0.1; done",
    ]);
    expect(await endOnTerminal("attach shell", RESIZE)).toEqual({ exitCode: 130, isRestored: true });
    await engine.ok(["rm", "-f", "shell"]);
    await engine.ok([
      "run",
      "-dit",
      "--name",
      "idle",
      "busybox",
      "sh",
      "-c",
      "trap 'echo ready' WINCH; while :; do sleep 0.05; done",
    ]);
    expect(await endOnTerminal("attach idle", "kill -INT $(cat pid)")).toEqual({ exitCode: 130, isRestored: true });
    await engine.ok(["rm", "-f", "idle"]);
  });
});
