import { join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { writeContainersConfiguration } from "./containers-configuration.ts";
import type { Peer, PeerOptions } from "./peer.ts";

const BUILDAH = "/usr/bin/buildah";

/** Debian's buildah, the builder in podman, with stores and configuration of its own. It has no daemon: each command is the engine. */
export async function startBuildah(options: PeerOptions): Promise<Peer> {
  const env = { ...writeContainersConfiguration(options), BUILDAH_RUNTIME: "runc" };
  const global = ["--root", join(options.directory, "root"), "--runroot", options.runDirectory, "--log-level", "error"];
  const { exitCode, stdout, stderr } = await run(BUILDAH, ["--version"], { env });
  if (exitCode !== 0) throw new Error(`buildah does not answer: ${stderr.trim()}`);
  return {
    name: "Buildah",
    title: "Buildah",
    version: stdout.trim().replace(/^buildah version (\S+).*/, "Buildah $1"),
    command: (args) => ({ argv: [BUILDAH, ...global, ...inItsWords(args)], env }),
    engineProcesses: () => [],
    stop: async () => undefined,
  };
}

/** Where its grammar is not docker's. Without `--layers` it would cache nothing. */
function inItsWords([verb = "", ...args]: readonly string[]): readonly string[] {
  if (verb === "build") return [verb, "--layers", ...args];
  if (verb === "save") return saveWords(args);
  return [verb, ...args];
}

function saveWords(args: readonly string[]): readonly string[] {
  const [flag, file, image] = args;
  if (flag !== "-o" || !file || !image) throw new Error(`expected save -o FILE IMAGE, not ${args.join(" ")}`);
  return ["push", "-q", image, `docker-archive:${file}`];
}
