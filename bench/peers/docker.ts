import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { DockerDaemon } from "../../tools/harness/docker-daemon.ts";
import { processTree } from "../process-memory.ts";
import type { Peer, PeerName, PeerOptions } from "./peer.ts";

/** Debian's client; another `docker` may come first in PATH. */
const CLIENT = "/usr/bin/docker";

/** Debian's docker.io, which builds with its BuildKit. Throws where its packaging came without. */
export async function startDocker(options: PeerOptions): Promise<Peer> {
  const docker = await startDaemon("Docker", options, { DOCKER_BUILDKIT: "1" });
  if (await hasBuildKit(docker, options.directory)) return docker;
  await docker.stop();
  throw new Error("its builder is not BuildKit");
}

/** The same with the builder that it had before BuildKit, on an engine of its own: the two share no image and no cache. */
export function startDockerClassic(options: PeerOptions): Promise<Peer> {
  return startDaemon("Docker classic", options, { DOCKER_BUILDKIT: "0" });
}

/** An engine of its own. Loopback registries are insecure ones to it without being told. */
async function startDaemon(
  name: PeerName,
  { directory, runDirectory }: PeerOptions,
  builder: Readonly<Record<string, string>>,
): Promise<Peer> {
  mkdirSync(join(directory, "client"), { recursive: true });
  const cgroupParent = `/berth-bench-${name.toLowerCase().replace(" ", "-")}`;
  const daemon = await DockerDaemon.start({ directory, runDirectory, cgroupParent }, CLIENT);
  const env = { ...daemon.environment, ...builder };
  const server = await run(CLIENT, ["version", "--format", "{{.Server.Version}}"], { env });
  return {
    name,
    version: `${name} ${server.stdout.trim()}`,
    command: (args) => ({ argv: [CLIENT, ...args], env }),
    engineProcesses: () => processTree(daemon.pid),
    stop: () => daemon.stop(CLIENT),
  };
}

async function hasBuildKit(docker: Peer, directory: string): Promise<boolean> {
  const context = join(directory, "probe");
  mkdirSync(context);
  writeFileSync(join(context, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
  const { argv, env } = docker.command(["build", "-q", context]);
  const [program = CLIENT, ...args] = argv;
  return (await run(program, args, { env })).exitCode === 0;
}
