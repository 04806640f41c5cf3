import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { DockerDaemon } from "../../tools/harness/docker-daemon.ts";
import { processTree } from "../process-memory.ts";
import type { Peer, PeerOptions } from "./peer.ts";

/** Debian's client; another `docker` may come first in PATH. */
const CLIENT = "/usr/bin/docker";

/** Debian's docker.io with an engine of its own. Loopback registries are insecure ones to it without being told. */
export async function startDocker({ directory, runDirectory }: PeerOptions): Promise<Peer> {
  mkdirSync(join(directory, "client"), { recursive: true });
  const daemon = await DockerDaemon.start({ directory, runDirectory, cgroupParent: "/berth-bench-docker" }, CLIENT);
  const buildKit = await hasBuildKit(directory, daemon.environment);
  const env = { ...daemon.environment, DOCKER_BUILDKIT: buildKit ? "1" : "0" };
  const server = await run(CLIENT, ["version", "--format", "{{.Server.Version}}"], { env });
  return {
    name: "Docker",
    version: `Docker ${server.stdout.trim()} (${buildKit ? "BuildKit" : "classic builder"})`,
    command: (args) => ({ argv: [CLIENT, ...args], env }),
    engineProcesses: () => processTree(daemon.pid),
    stop: () => daemon.stop(CLIENT),
  };
}

/** Some packagings of 20.10 come without it; then the classic builder is what a user has. */
async function hasBuildKit(directory: string, env: Readonly<Record<string, string>>): Promise<boolean> {
  const context = join(directory, "probe");
  mkdirSync(context);
  writeFileSync(join(context, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
  const { exitCode } = await run(CLIENT, ["build", "-q", context], { env: { ...env, DOCKER_BUILDKIT: "1" } });
  return exitCode === 0;
}
