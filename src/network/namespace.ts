import { mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCode } from "#errors/errors.ts";
import { runCommand } from "#sys/command.ts";
import { unmount } from "#sys/mount.ts";
import { createNetworkNamespace } from "#sys/network-namespace.ts";

/** How `unshare` is told where to pin a namespace, or below where. */
export function namespaceFlag(path: string): string {
  return `--net=${path}`;
}

/**
 * Makes a network namespace held by a bind mount on the file `path`, loopback up, and runs `commands` of ip(8) in it.
 *
 * With commands one process does it all: `unshare` makes and pins the namespace and then becomes `ip`, which makes veth pairs from the inside
 * and puts the peers into the engine's namespace. Measured: 5 ms, where `ip netns add` plus `ip -n` takes 14 ms, most of it for the mount
 * namespace and the /sys that `ip -n` sets up.
 */
export async function createNamespace(path: string, commands: readonly string[]): Promise<void> {
  await createMountPoint(path);
  try {
    if (commands.length === 0) return createNetworkNamespace(path);
    const input = ["link set dev lo up", ...commands, ""].join("\n");
    await runCommand("unshare", [namespaceFlag(path), "ip", "-batch", "-"], { input });
  } catch (error) {
    await removeNamespace(path);
    throw error;
  }
}

/** Runs commands of ip(8), one after the other, in the namespace. The first that fails ends it, with a SystemError. */
export async function runInNamespace(path: string, commands: readonly string[]): Promise<void> {
  if (commands.length === 0) return;
  await runCommand("nsenter", [namespaceFlag(path), "ip", "-batch", "-"], { input: `${commands.join("\n")}\n` });
}

/**
 * Lets go of the namespace. The kernel destroys it, veth pairs included, in the background when the last process has left it.
 * Idempotent.
 */
export async function removeNamespace(path: string): Promise<void> {
  await unmount(path);
  await rm(path, { force: true });
}

/** An empty file to mount on. One that a crashed engine left, mounted or not, goes first. */
async function createMountPoint(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o711 });
  try {
    await (await open(path, "wx", 0o600)).close();
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    await removeNamespace(path);
    await (await open(path, "wx", 0o600)).close();
  }
}
