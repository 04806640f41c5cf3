import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { processTree } from "../process-memory.ts";
import { removeCgroups } from "./cgroups.ts";
import type { Peer, PeerOptions } from "./peer.ts";

/** Debian's client; another `docker` may come first in PATH. */
const CLIENT = "/usr/bin/docker";
const CGROUP_PARENT = "/berth-bench-docker";

/** Debian's docker.io with an engine of its own. Loopback registries are insecure ones to it without being told. */
export async function startDocker(options: PeerOptions): Promise<Peer> {
  const { directory, runDirectory } = options;
  const socket = join(runDirectory, "docker.sock");
  const environment = { DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: join(directory, "client") };
  mkdirSync(environment.DOCKER_CONFIG, { recursive: true });
  const daemon = startDaemon(options, socket);
  await untilReady(daemon, environment, join(directory, "dockerd.log"));

  const buildKit = await hasBuildKit(directory, environment);
  const env = { ...environment, DOCKER_BUILDKIT: buildKit ? "1" : "0" };
  const server = await run(CLIENT, ["version", "--format", "{{.Server.Version}}"], { env });
  return {
    name: "Docker",
    version: `Docker ${server.stdout.trim()} (${buildKit ? "BuildKit" : "classic builder"})`,
    command: (args) => ({ argv: [CLIENT, ...args], env }),
    engineProcesses: () => processTree(daemon.pid ?? 0),
    stop: () => stopDaemon(daemon, env),
  };
}

function startDaemon({ directory, runDirectory }: PeerOptions, socket: string): ChildProcess {
  const log = openSync(join(directory, "dockerd.log"), "a");
  const roots = ["--data-root", join(directory, "data"), "--exec-root", join(runDirectory, "exec")];
  const rest = ["--pidfile", join(runDirectory, "dockerd.pid"), "--cgroup-parent", CGROUP_PARENT];
  return spawn("dockerd", ["-H", `unix://${socket}`, ...roots, ...rest], {
    // Out of the terminal's reach: Ctrl-C is for the bench, which stops its engines in order.
    detached: true,
    stdio: ["ignore", log, log],
  });
}

async function untilReady(daemon: ChildProcess, env: Readonly<Record<string, string>>, log: string): Promise<void> {
  const failed = new Promise<never>((_, reject) => daemon.once("error", reject));
  failed.catch(() => undefined);
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline && daemon.exitCode === null) {
    const { exitCode } = await Promise.race([run(CLIENT, ["version"], { env }), failed]);
    if (exitCode === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  daemon.kill("SIGKILL");
  throw new Error(`dockerd does not answer; its log ends with:\n${readFileSync(log, "utf8").slice(-1500)}`);
}

/** Some packagings of 20.10 come without it; then the classic builder is what a user has. */
async function hasBuildKit(directory: string, env: Readonly<Record<string, string>>): Promise<boolean> {
  const context = join(directory, "probe");
  mkdirSync(context);
  writeFileSync(join(context, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
  const { exitCode } = await run(CLIENT, ["build", "-q", context], { env: { ...env, DOCKER_BUILDKIT: "1" } });
  return exitCode === 0;
}

async function stopDaemon(daemon: ChildProcess, env: Readonly<Record<string, string>>): Promise<void> {
  const { stdout } = await run(CLIENT, ["ps", "-aq"], { env });
  const containers = stdout.split("\n").filter(Boolean);
  if (containers.length > 0) await run(CLIENT, ["rm", "-f", ...containers], { env, timeout: 180_000 });
  if (daemon.exitCode === null && daemon.signalCode === null) {
    const exited = new Promise((resolve) => daemon.once("exit", resolve));
    daemon.kill("SIGTERM");
    await exited;
  }
  removeCgroups(CGROUP_PARENT);
}
