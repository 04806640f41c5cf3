/** CLI plugins, proxies and shell completion as a user meets them: with programs on disk and a real shell. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Finished, run } from "../../tools/harness/child.ts";
import { BERTH } from "../../tools/harness/private-engine.ts";

const directory = mkdtempSync(join(tmpdir(), "berth-plugins-"));
const HOST = "unix:///nonexistent/berth.sock";

/** Runs berth with this test's configuration, against an engine that is not there. */
function berth(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  return run(BERTH, args, { env: { BERTH_HOST: HOST, DOCKER_HOST: "", DOCKER_CONFIG: directory, ...env } });
}

function program(name: string, lines: readonly string[]): void {
  const path = join(directory, "cli-plugins", name);
  writeFileSync(path, ["#!/bin/sh", ...lines, ""].join("\n"));
  chmodSync(path, 0o755);
}

const METADATA = '{"SchemaVersion":"0.1.0","Vendor":"Me","Version":"v1.2.3","ShortDescription":"Says hello"}';

beforeAll(() => {
  mkdirSync(join(directory, "cli-plugins"));
  program("docker-hello", [
    `if [ "$1" = docker-cli-plugin-metadata ]; then echo '${METADATA}'; exit 0; fi`,
    'echo "$* $DOCKER_HOST"; exit 7',
  ]);
  program("docker-bad", ["echo not a plugin"]);
  program("docker-ps", [`if [ "$1" = docker-cli-plugin-metadata ]; then echo '${METADATA}'; fi; echo shadowed`]);
});

afterAll(() => rmSync(directory, { recursive: true }));

describe("CLI plugins", () => {
  test("run with the whole command line, the engine's address and their own exit code", async () => {
    expect(await berth(["-D", "hello", "a", "--b"])).toMatchObject({
      exitCode: 7,
      stdout: `-D hello a --b ${HOST}\n`,
      stderr: "",
    });
  });

  test("stand in the help; what does not say that it is a plugin is none, and no command is replaced", async () => {
    const { stdout } = await berth(["--help"]);
    expect(stdout).toContain("  hello*      Says hello\n");
    expect(stdout).not.toContain("bad*");
    expect(await berth(["help", "hello", "a"])).toMatchObject({ exitCode: 7, stdout: "help hello a \n" });
    expect((await berth(["help", "bad"])).stderr).toBe("unknown help topic: bad\n");
    expect(await berth(["bad"])).toMatchObject({ exitCode: 1, stdout: "" });
    expect((await berth(["ps"])).stderr).toContain(`Cannot connect to the Docker daemon at ${HOST}.`);
  });

  test("speak after a command that their hooks name, on a terminal, when the user wants it", async () => {
    const config = join(directory, "hooks");
    mkdirSync(join(config, "cli-plugins"), { recursive: true });
    writeFileSync(
      join(config, "config.json"),
      JSON.stringify({ plugins: { tip: { hooks: "pull,context ls", "error-hooks": "context rm" } } }),
    );
    writeFileSync(
      join(config, "cli-plugins", "docker-tip"),
      `#!/bin/sh
if [ "$1" = docker-cli-plugin-metadata ]; then echo '${METADATA}'; exit 0; fi
[ "$2" = docker-cli-plugin-hooks ] || exit 1
echo "$3" >> ${config}/called
printf '%s\\n' '{"ReturnType":0,"Template":"{{.Name}} quiet={{flag . \\"quiet\\"}} {{arg . 0}}\\nmore"}'
`,
      { mode: 0o755 },
    );
    const onTerminal = async (words: string, env: Readonly<Record<string, string>> = { DOCKER_CLI_HOOKS: "1" }) =>
      (await run("script", ["-qec", `${BERTH} ${words}`, "/dev/null"], { env: { DOCKER_CONFIG: config, ...env } }))
        .stdout;
    const hint = "\u001b[1m\r\nWhat's next:\u001b[0m\r\n    ls quiet=true \r\n    more\r\n";
    expect(await onTerminal("context ls -q")).toBe(`default\r\n${hint}`);
    expect(await onTerminal("context ls -q", { DOCKER_CLI_HOOKS: "0", DOCKER_CLI_HINTS: "1" })).toBe("default\r\n");
    expect(await onTerminal("context ls -q", {})).toBe("default\r\n");
    expect(await onTerminal("context show")).toBe("default\r\n");
    // There is no flag "quiet" of this one: such a hint is passed over.
    expect(await onTerminal("context rm nope")).not.toContain("What's next");
    expect(
      (await run(BERTH, ["context", "ls", "-q"], { env: { DOCKER_CONFIG: config, DOCKER_CLI_HOOKS: "1" } })).stdout,
    ).toBe("default\n");
    const [first, second] = readFileSync(join(config, "called"), "utf8").split("\n");
    expect(JSON.parse(first ?? "")).toEqual({ RootCmd: "context ls", Flags: { quiet: "true" }, CommandError: "" });
    expect(JSON.parse(second ?? "")).toMatchObject({
      RootCmd: "context rm",
      CommandError: expect.stringContaining("nope"),
    });
  });

  test("are listed by info, whose client part is there without an engine", async () => {
    const { exitCode, stdout, stderr } = await berth(["info"]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("  hello: Says hello (Me)\n    Version:  v1.2.3\n    Path:     ");
    expect(stderr).toContain("Cannot connect to the Docker daemon");
  });
});

describe("berth completion", () => {
  const BASH = [
    'eval "$("$BERTH" completion bash)"',
    'COMP_LINE="$BERTH $1" COMP_POINT=$((${#BERTH} + 1 + ${#1}))',
    'compopt() { :; }; _berth; printf "%s\\n" "${COMPREPLY[@]}"',
  ].join("\n");

  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["sto", ["stop"]],
    ["network dis", ["disconnect"]],
    ["run --pul", ["--pull"]],
    ["run --pull al", ["always"]],
    ["run --pull=al", ["always"]],
    ["--log-level wa", ["warn"]],
    ["context use de", ["default"]],
    ["completion f", ["fish"]],
  ];
  for (const [line, expected] of cases) {
    test(`bash completes "${line}"`, async () => {
      const { stdout } = await run("/bin/bash", ["-c", BASH, "bash", line], {
        env: { BERTH, BERTH_HOST: HOST, DOCKER_CONFIG: directory },
      });
      expect(stdout.trim().split("\n")).toEqual([...expected]);
    });
  }

  test("an engine that is not there has no names, and is not started", async () => {
    expect(await berth(["__complete", "stop", ""])).toMatchObject({ exitCode: 0, stdout: ":1\n", stderr: "" });
  });

  for (const shell of ["fish", "powershell", "zsh"]) {
    test(`prints a script for ${shell}`, async () => {
      const { exitCode, stdout } = await berth(["completion", shell]);
      expect(exitCode).toBe(0);
      expect(stdout).toContain("__complete");
    });
  }
});

describe("a link called docker", () => {
  const link = join(directory, "docker");
  const docker = (...args: readonly string[]): Promise<Finished> =>
    run(link, args, { env: { BERTH_HOST: HOST, DOCKER_CONFIG: directory } });

  test("answers by that name", async () => {
    symlinkSync(BERTH, link);
    expect((await docker("-v")).stdout).toMatch(/^Docker version \d+\.\d+\.\d+, build \w+\n$/);
    expect((await docker("run")).stderr).toStartWith("docker: 'docker run' requires at least 1 argument\n");
    expect((await docker("run", "x")).stderr).toStartWith("docker: Cannot connect to the Docker daemon");
    expect((await docker("ps", "--help")).stdout).toContain("  docker container ls, docker container list");
  });
});

describe("what Berth does not have", () => {
  test("checked signatures are not promised to who asks for them", async () => {
    const refused = "content trust is not supported";
    expect((await berth(["pull", "--disable-content-trust=false", "x"])).stderr).toContain(refused);
    expect((await berth(["run", "x"], { DOCKER_CONTENT_TRUST: "1" })).stderr).toContain(refused);
    expect((await berth(["push", "x"], { DOCKER_CONTENT_TRUST: "yes" })).stderr).toContain(refused);
    expect((await berth(["push", "x"], { DOCKER_CONTENT_TRUST: "0" })).stderr).not.toContain(refused);
  });

  for (const words of [
    ["swarm", "init"],
    ["node", "ls"],
    ["plugin", "install", "x"],
    ["trust", "sign", "x"],
  ]) {
    test(`${words.join(" ")} says so`, async () => {
      const { exitCode, stdout, stderr } = await berth(words);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
      expect(stderr).toMatch(/not a swarm manager|no engine plugins|not supported/);
    });
  }
});
