import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { DockerDaemon } from "../../tools/harness/docker-daemon.ts";
import { processTree } from "../process-memory.ts";
import type { Peer, PeerName, PeerOptions } from "./peer.ts";

/** Debian 12's client; another `docker` may come first in PATH. */
const DEBIAN_CLIENT = "/usr/bin/docker";
/** Where tools/current-docker.sh puts the docker of Debian 13: client, buildx, dockerd, containerd. */
const CURRENT = join(import.meta.dirname, "..", "..", ".cache", "current-docker");

/** What differs between the engines of this file. */
interface Kind {
  readonly name: PeerName;
  readonly client: string;
  readonly programs?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly builder: string;
}

/** This Debian's docker.io, which builds with its BuildKit. Throws where its packaging came without. */
export function startDocker(options: PeerOptions): Promise<Peer> {
  return startBuildKit(
    { name: "Docker", client: DEBIAN_CLIENT, environment: { DOCKER_BUILDKIT: "1" }, builder: "BuildKit" },
    options,
  );
}

/** The same with the builder that it had before BuildKit, on an engine of its own: the two share no image and no cache. */
export function startDockerClassic(options: PeerOptions): Promise<Peer> {
  const environment = { DOCKER_BUILDKIT: "0" };
  return startDaemon(
    { name: "Docker classic", client: DEBIAN_CLIENT, environment, builder: "classic builder" },
    options,
  );
}

/** A current dockerd with its containerd and its BuildKit, which buildx drives, as `docker build` does today. */
export function startCurrentDocker(options: PeerOptions): Promise<Peer> {
  if (!existsSync(join(CURRENT, "dockerd"))) throw new Error("tools/current-docker.sh could not fetch it");
  const client = join(CURRENT, "docker");
  mkdirSync(join(options.directory, "client"), { recursive: true });
  symlinkSync(join(CURRENT, "cli-plugins"), join(options.directory, "client", "cli-plugins"));
  return startBuildKit(
    { name: "Docker current", client, programs: CURRENT, environment: {}, builder: "BuildKit by buildx" },
    options,
  );
}

async function startBuildKit(kind: Kind, options: PeerOptions): Promise<Peer> {
  const docker = await startDaemon(kind, options);
  if (await hasBuildKit(docker, options.directory)) return docker;
  await docker.stop();
  throw new Error("its builder is not BuildKit");
}

/** An engine of its own. Loopback registries are insecure ones to it without being told. */
async function startDaemon(
  { name, client, programs, environment, builder }: Kind,
  { directory, runDirectory, position }: PeerOptions,
): Promise<Peer> {
  mkdirSync(join(directory, "client"), { recursive: true });
  const cgroupParent = `/berth-bench-${name.toLowerCase().replace(" ", "-")}`;
  const bridge = await makeBridge(position);
  const daemon = await DockerDaemon.start(
    { directory, runDirectory, cgroupParent, bridge, ...(programs ? { programs } : {}) },
    client,
  );
  const env = { ...daemon.environment, ...environment };
  const server = await run(client, ["version", "--format", "{{.Server.Version}}"], { env });
  const version = server.stdout.trim();
  return {
    name,
    title: `Docker ${/^\d+\.\d+/.exec(version)?.[0] ?? version}${name === "Docker classic" ? " classic" : ""}`,
    version: `Docker ${version} (${builder})`,
    command: (args) => ({ argv: [client, ...args], env }),
    engineProcesses: () => processTree(daemon.pid),
    stop: () => daemon.stop(client),
  };
}

/** Two dockerds would share one docker0 and give out each address twice. */
async function makeBridge(position: number): Promise<string> {
  const name = `bench${position}`;
  await ip("link", "add", name, "type", "bridge");
  await ip("address", "add", `172.31.${position}.1/24`, "dev", name);
  await ip("link", "set", name, "up");
  return name;
}

async function ip(...words: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await run("ip", words);
  if (exitCode !== 0) throw new Error(`ip ${words.join(" ")} failed: ${stderr.trim()}`);
}

async function hasBuildKit(docker: Peer, directory: string): Promise<boolean> {
  const context = join(directory, "probe");
  mkdirSync(context);
  writeFileSync(join(context, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
  const { argv, env } = docker.command(["build", "-q", context]);
  const [program = "", ...args] = argv;
  return (await run(program, args, { env })).exitCode === 0;
}
