/** What developers leave running: Compose 2 in a terminal, and Dev Containers. The rest of Compose 2 is walked beside dockerd (test/compatibility/tour/compose.ts). */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { type Finished, run } from "../../tools/harness/child.ts";
import { BERTH, PrivateEngine } from "../../tools/harness/private-engine.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** Docker 26 with Compose 2: see tools/current-docker.sh. */
const PROGRAMS = join(ROOT, ".cache", "current-docker");
const DEVCONTAINER = join(ROOT, "node_modules", ".bin", "devcontainer");

let engine: PrivateEngine;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  const config = join(engine.directory, "client");
  mkdirSync(config);
  symlinkSync(join(PROGRAMS, "cli-plugins"), join(config, "cli-plugins"));
  env = {
    DOCKER_HOST: `unix://${engine.socket}`,
    DOCKER_CONFIG: config,
    PATH: `${PROGRAMS}:${process.env["PATH"]}`,
    // Dev Containers keeps its own files there.
    HOME: engine.directory,
    TMPDIR: engine.directory,
  };
}, 400_000);

afterAll(() => engine.close(), 120_000);

function makeProject(name: string, files: Readonly<Record<string, string>>): string {
  const directory = join(engine.directory, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

async function succeeds(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { exitCode, stdout, stderr }: Finished = await run(program, args, { env, cwd, timeout: 200_000 });
  if (exitCode !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${exitCode}:\n${stdout}${stderr}`);
  return stdout;
}

/** A program that runs until it is told to end. */
class Attended {
  readonly #child: ChildProcess;
  #output = "";

  constructor(args: readonly string[], cwd: string) {
    this.#child = spawn(join(PROGRAMS, "docker"), args, { cwd, env: { ...process.env, ...env } });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
  }

  /** Resolves when it has printed the text. */
  async says(text: string): Promise<void> {
    while (!this.#output.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`it ended without "${text}":\n${this.#output}`);
      await Bun.sleep(20);
    }
  }

  /** Ctrl-C; resolves with all that it printed. */
  async interrupt(): Promise<string> {
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGINT");
    await ended;
    return this.#output;
  }
}

describe("docker compose", () => {
  const project = (): string =>
    makeProject("attended", {
      "compose.yaml": `
services:
  app:
    build: { context: . }
    command: sh -c 'echo it works; exec sleep 1000'
    stop_grace_period: 0s
    develop: { watch: [{ action: sync, path: ./src, target: /src }] }
`,
      Dockerfile: "FROM busybox\nCOPY src /src\n",
      "src/file": "old\n",
    });

  test("up builds, shows what containers print, and stops them at Ctrl-C", async () => {
    const directory = project();
    const up = new Attended(["compose", "up", "--build"], directory);
    await up.says("it works");
    const output = await up.interrupt();
    expect(output).toContain("Gracefully stopping");
    expect(output).not.toContain("panic");
    expect(await engine.ok(["ps", "-a", "--format", "{{.Names}} {{.State}}"])).toBe("attended-app-1 exited");
    await succeeds("docker", ["compose", "down", "-v", "--rmi", "local"], directory);
  }, 400_000);

  test("watch brings changed files into a container", async () => {
    const directory = project();
    await succeeds("docker", ["compose", "up", "-d"], directory);
    const watch = new Attended(["compose", "watch", "--no-up"], directory);
    await watch.says("Watch");
    const text = (): Promise<string> => engine.ok(["exec", "attended-app-1", "cat", "/src/file"]);
    // It says so a moment before it looks, and acts when nothing has changed for half a second.
    for (let round = 0; (await text()) === "old"; round++) {
      if (round % 20 === 0) writeFileSync(join(directory, "src/file"), `new ${round}\n`);
      await Bun.sleep(100);
    }
    expect(await text()).toStartWith("new");
    await watch.interrupt();
    await succeeds("docker", ["compose", "down", "-v", "--rmi", "local", "-t", "0"], directory);
  }, 400_000);
});

describe("devcontainer", () => {
  const up = async (directory: string, docker: string): Promise<unknown> => {
    const words = ["up", "--workspace-folder", ".", "--docker-path", docker, "--remove-existing-container"];
    return JSON.parse(await succeeds(DEVCONTAINER, words, directory));
  };
  const exec = (directory: string, docker: string, script: string): Promise<string> =>
    succeeds(DEVCONTAINER, ["exec", "--workspace-folder", ".", "--docker-path", docker, "sh", "-c", script], directory);

  test("up and exec: a build, a mount, variables, commands; with docker, and with berth in its place", async () => {
    const directory = makeProject("workspace", {
      ".devcontainer/devcontainer.json": JSON.stringify({
        build: { dockerfile: "Dockerfile" },
        updateRemoteUserUID: false,
        containerEnv: { COLOR: "red" },
        mounts: ["source=cache,target=/cache,type=volume"],
        runArgs: ["--init"],
        postCreateCommand: "echo created > /created",
      }),
      ".devcontainer/Dockerfile": "FROM busybox\nRUN echo built > /built\n",
      code: "code\n",
    });
    for (const docker of ["docker", BERTH]) {
      expect(await up(directory, docker)).toMatchObject({ outcome: "success" });
      const seen = await exec(directory, docker, "cat /built /created code; echo $COLOR; ls -d /cache");
      expect(seen.trim().split(/\s+/)).toEqual(["built", "created", "code", "red", "/cache"]);
    }
    await engine.ok(["rm", "-f", ...(await engine.ok(["ps", "-aq"])).split("\n")]);
  }, 400_000);

  test("up and exec with a Compose file", async () => {
    const directory = makeProject("services", {
      ".devcontainer/devcontainer.json": JSON.stringify({
        dockerComposeFile: "compose.yaml",
        service: "app",
        workspaceFolder: "/work",
        updateRemoteUserUID: false,
        overrideCommand: true,
      }),
      ".devcontainer/compose.yaml": `
services:
  app: { image: busybox, volumes: ["..:/work"], depends_on: [db] }
  db: { image: busybox, command: sleep 1000, stop_grace_period: 0s }
`,
      code: "code\n",
    });
    expect(await up(directory, "docker")).toMatchObject({ outcome: "success" });
    expect(await exec(directory, "docker", "cat code && ping -c 1 -W 5 db")).toContain("1 packets received");
    await engine.ok(["rm", "-f", ...(await engine.ok(["ps", "-aq"])).split("\n")]);
  }, 400_000);
});
