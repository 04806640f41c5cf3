/**
 * walk-tour.ts ENGINE CLIENT IMAGE_ARCHIVE: starts an engine (`berth` or `dockerd`), walks the tour with a docker command line and prints the results as
 * JSON. It is run in namespaces of its own, which take the engine's bridges, rules and mounts with them.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { DockerDaemon } from "../../tools/harness/docker-daemon.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { TOUR } from "./tour.ts";
import { walk } from "./transcript.ts";

const [engine = "", client = "", archive = ""] = process.argv.slice(2);

/** 1.41 is the newest version that Debian's dockerd speaks: both engines are asked in the same one. */
const ENVIRONMENT = { DOCKER_API_VERSION: "1.41", DOCKER_BUILDKIT: "0", DOCKER_CLI_HINTS: "false" };

async function main(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "tour-"));
  const directory = await makeDirectory(join(home, "tour"), archive);
  const started = engine === "berth" ? await startBerth(home) : await startDocker(home);
  try {
    const results = await walk(TOUR, { client, env: { ...ENVIRONMENT, ...started.env }, directory });
    process.stdout.write(JSON.stringify(results));
  } finally {
    await started.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

interface Started {
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

async function startBerth(home: string): Promise<Started> {
  const berth = await PrivateEngine.start({ directory: join(home), execRoot: mkdtempSync("/run/tour-") });
  return {
    env: { DOCKER_HOST: `unix://${berth.socket}`, DOCKER_CONFIG: join(home, "client") },
    stop: () => berth.close(),
  };
}

async function startDocker(home: string): Promise<Started> {
  const runDirectory = mkdtempSync("/run/tour-");
  const daemon = await DockerDaemon.start({ directory: home, runDirectory, cgroupParent: "/berth-tour" }, client);
  return { env: daemon.environment, stop: () => daemon.stop(client) };
}

/** The files that the tour's steps name. */
async function makeDirectory(directory: string, imageArchive: string): Promise<string> {
  for (const [name, content] of Object.entries(FILES)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  copyFileSync(imageArchive, join(directory, "busybox.tar"));
  await run("tar", ["-C", join(directory, "root"), "-cf", join(directory, "root.tar"), "."]);
  return directory;
}

const FILES: Readonly<Record<string, string>> = {
  env: "FROM_FILE=yes\n# a comment\nQUOTED='x'\n",
  "root/hello": "hello\n",
  "context/app.txt": "app\n",
  "context/Dockerfile":
    'FROM busybox\nARG WHO=me\nENV A=b\nWORKDIR /srv\nCOPY app.txt .\nRUN echo $WHO > who\nCMD ["cat", "app.txt", "who"]\n',
  "context/Broken": "FROM busybox\nRUNN true\n",
  "context/Failing": "FROM busybox\nRUN echo before; exit 7\n",
  "context/Missing": "FROM busybox\nCOPY nope /\n",
  "context/Stages": "FROM busybox AS one\nRUN true\nFROM one AS two\nRUN true\n",
};

await main();
