import { runCommand } from "#sys/command.ts";

/** Whether this host has a network interface of that name. */
export async function linkExists(name: string): Promise<boolean> {
  const { exitCode } = await runCommand("ip", ["link", "show", "dev", name], { okCodes: [0, 1] });
  return exitCode === 0;
}

/** Deletes an interface, and with it the other end of a veth pair. Idempotent. */
export async function deleteInterface(name: string): Promise<void> {
  await runCommand("ip", ["link", "delete", "dev", name], { okCodes: [0, 1] });
}
