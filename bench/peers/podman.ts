import { join } from "node:path";
import { removeCgroups } from "../../tools/harness/cgroups.ts";
import { run } from "../../tools/harness/child.ts";
import { writeContainersConfiguration } from "./containers-configuration.ts";
import type { Peer, PeerOptions } from "./peer.ts";

const PODMAN = "/usr/bin/podman";

/** Debian's podman with stores and configuration of its own. It has no daemon: each command is the engine. */
export async function startPodman(options: PeerOptions): Promise<Peer> {
  const env = writeContainersConfiguration(options);
  const command = (args: readonly string[]) => ({ argv: [PODMAN, ...globalFlags(options), ...args], env });
  const podman = (args: readonly string[], timeout = 60_000) => {
    const [program = PODMAN, ...rest] = command(args).argv;
    return run(program, rest, { env, timeout });
  };
  const { exitCode, stdout, stderr } = await podman(["version", "--format", "{{.Client.Version}}"]);
  if (exitCode !== 0) throw new Error(`podman does not answer: ${stderr.trim()}`);
  return {
    name: "Podman",
    title: "Podman",
    version: `Podman ${stdout.trim()}`,
    command,
    engineProcesses: () => [],
    stop: async () => {
      await podman(["rm", "--all", "--force", "--time", "0"], 180_000);
      removeCgroups("/libpod_parent");
    },
  };
}

function globalFlags({ directory, runDirectory }: PeerOptions): string[] {
  return [
    ...["--root", join(directory, "root"), "--runroot", runDirectory, "--tmpdir", join(runDirectory, "tmp")],
    ...[
      "--network-config-dir",
      join(directory, "networks"),
      "--cgroup-manager",
      "cgroupfs",
      "--events-backend",
      "file",
    ],
    // Debian's crun 1.8 refuses machines with hybrid cgroups.
    ...["--runtime", "runc", "--log-level", "error"],
  ];
}
