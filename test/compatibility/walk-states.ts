/**
 * walk-states.ts ENGINE IMAGE_ARCHIVE: starts an engine (`berth` or `dockerd`, the first one of PATH), walks calls.ts and states.ts on it and prints the results as JSON. It is run
 * in namespaces of its own (walk.ts).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { CURRENT_DOCKER } from "../../tools/harness/current-docker.ts";
import { DockerDaemon } from "../../tools/harness/docker-daemon.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { walkCalls } from "./calls.ts";
import { walkStates } from "./states.ts";

const [engine = "", archive = ""] = process.argv.slice(2);

const client = join(CURRENT_DOCKER, "docker");
const home = mkdtempSync(join(tmpdir(), "states-"));
const runDirectory = mkdtempSync("/run/states-");
const started = engine === "berth" ? await startBerth() : await startDocker();
try {
  const env = { DOCKER_HOST: `unix://${started.socket}`, DOCKER_CONFIG: join(home, "client") };
  const { exitCode, stderr } = await run(client, ["load", "-i", archive], { env });
  if (exitCode !== 0) throw new Error(stderr);
  const calls = await walkCalls(started.socket);
  process.stdout.write(JSON.stringify({ ...calls, ...(await walkStates(started.socket)) }));
} finally {
  await started.stop();
  rmSync(home, { recursive: true, force: true });
}

async function startBerth(): Promise<{ readonly socket: string; stop(): Promise<void> }> {
  const berth = await PrivateEngine.start({ directory: home, execRoot: runDirectory });
  return { socket: berth.socket, stop: () => berth.close() };
}

async function startDocker(): Promise<{ readonly socket: string; stop(): Promise<void> }> {
  const daemon = await DockerDaemon.start(
    { directory: home, runDirectory, cgroupParent: `/berth-${basename(home)}` },
    client,
  );
  return { socket: daemon.socket, stop: () => daemon.stop(client) };
}
