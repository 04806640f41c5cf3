/**
 * walk-tour.ts ENGINE IMAGE_ARCHIVE PART: starts an engine (`berth` or `dockerd`), walks a part of the tour with the docker command line and prints the results as
 * JSON. It is run in namespaces of its own (walk.ts).
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { CURRENT_DOCKER } from "../../tools/harness/current-docker.ts";
import { DockerDaemon } from "../../tools/harness/docker-daemon.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";
import { TOUR } from "./tour.ts";
import { walk } from "./transcript.ts";

const [engine = "", archive = "", part = ""] = process.argv.slice(2);

const client = join(CURRENT_DOCKER, "docker");

/** 1.45 is the newest version that dockerd 26 speaks: both engines are asked in the same one. */
const ENVIRONMENT = {
  DOCKER_API_VERSION: "1.45",
  // `build` is the classic builder's, `buildx build` and Compose's are BuildKit's.
  DOCKER_BUILDKIT: part === "compose" ? "1" : "0",
  DOCKER_CLI_HINTS: "false",
};

async function main(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "tour-"));
  const directory = await makeDirectory(join(home, "tour"));
  const started = engine === "berth" ? await startBerth(home) : await startDocker(home);
  const registry = await PrivateRegistry.start();
  try {
    const env = { ...ENVIRONMENT, ...started.env };
    mkdirSync(env.DOCKER_CONFIG, { recursive: true });
    symlinkSync(join(CURRENT_DOCKER, "cli-plugins"), join(env.DOCKER_CONFIG, "cli-plugins"));
    await run(client, ["load", "-i", archive], { env });
    const results = await walk(TOUR[part] ?? [], { client, env, directory, registry: registry.host });
    process.stdout.write(JSON.stringify(results));
  } finally {
    await registry.close();
    await started.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

interface Started {
  readonly env: Readonly<Record<"DOCKER_HOST" | "DOCKER_CONFIG", string>>;
  stop(): Promise<void>;
}

async function startBerth(home: string): Promise<Started> {
  const berth = await PrivateEngine.start({ directory: home, execRoot: mkdtempSync("/run/tour-") });
  return {
    env: { DOCKER_HOST: `unix://${berth.socket}`, DOCKER_CONFIG: join(home, "client") },
    stop: () => berth.close(),
  };
}

async function startDocker(home: string): Promise<Started> {
  const runDirectory = mkdtempSync("/run/tour-");
  const options = { directory: home, runDirectory, cgroupParent: `/berth-${basename(home)}`, programs: CURRENT_DOCKER };
  const daemon = await DockerDaemon.start(options, client);
  return { env: daemon.environment, stop: () => daemon.stop(client) };
}

/** The files that the tour's steps name. */
async function makeDirectory(directory: string): Promise<string> {
  for (const [name, content] of Object.entries(FILES)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  cpSync(join(import.meta.dirname, "compose"), join(directory, "compose"), { recursive: true });
  await run("tar", ["-C", join(directory, "root"), "-cf", join(directory, "root.tar"), "."]);
  return directory;
}

const FILES: Readonly<Record<string, string>> = {
  env: "FROM_FILE=yes\n# a comment\nQUOTED='x'\n",
  labels: "from=file\n# a comment\n",
  "root/hello": "hello\n",
  "context/app.txt": "app\n",
  "context/Dockerfile":
    'FROM busybox\nARG WHO=me\nENV A=b\nWORKDIR /srv\nCOPY app.txt .\nRUN echo $WHO > who\nCMD ["cat", "app.txt", "who"]\n',
  "context/Broken": "FROM busybox\nRUNN true\n",
  "context/Failing": "FROM busybox\nRUN echo before; exit 7\n",
  "context/Missing": "FROM busybox\nCOPY nope /\n",
  "context/Empty": "# nothing\n",
  "context/NoFrom": "RUN true\n",
  "context/Args": "ARG BASE\nFROM $BASE\n",
  "context/Net": "FROM busybox\nRUN ip -o link | wc -l\n",
  "context/Secret": "FROM busybox\nRUN --mount=type=secret,id=s,required cat /run/secrets/s\n",
  "context/Stages": "FROM busybox AS one\nRUN true\nFROM one AS two\nRUN true\n",
};

await main();
