import { randomBytes } from "node:crypto";
import { errorMessage, InvalidParameterError, SystemError } from "#errors/errors.ts";
import { runCommand } from "#sys/command.ts";
import { deleteInterface, linkExists } from "./link.ts";
import type { NetworkRecord } from "./network-driver.ts";
import { NETWORK_OPTION } from "./network-options.ts";

/**
 * Makes sure that the parent of a macvlan or ipvlan network can have such links: makes one and deletes it. Throws InvalidParameterError when
 * there is no such parent, SystemError when the kernel has no such links or the parent can have none.
 */
export async function checkParent(network: NetworkRecord): Promise<void> {
  const { driver, interfaceName: parent, name } = network;
  if (parent === "") {
    throw new InvalidParameterError(
      `cannot make ${driver} network "${name}": it needs a parent interface of this host, like -o parent=eth0`,
    );
  }
  if (!(await linkExists(parent))) {
    throw new InvalidParameterError(
      `invalid subinterface vlan name ${parent}, example formatting is eth0.10: this host has no interface "${parent}"`,
    );
  }
  const probe = `b${randomBytes(6).toString("hex")}`;
  try {
    await runCommand("ip", ["link", "add", "link", parent, "name", probe, ...linkType(network)]);
  } catch (error) {
    const isUnknown = /Unknown device type|not supported/.test(errorMessage(error));
    const problem = isUnknown
      ? `this host's kernel has no ${driver} (CONFIG_${driver.toUpperCase()})`
      : `"${parent}" can have no ${driver} links`;
    throw new SystemError(`cannot make ${driver} network "${name}": ${problem}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  await deleteInterface(probe);
}

/** The words of ip-link(8) for an interface on the network's parent. */
export function linkType({ driver, options }: NetworkRecord): readonly string[] {
  if (driver === "macvlan") return ["type", "macvlan", "mode", options[NETWORK_OPTION.macvlanMode] ?? "bridge"];
  const flag = options[NETWORK_OPTION.ipvlanFlag] ?? "bridge";
  return ["type", "ipvlan", "mode", options[NETWORK_OPTION.ipvlanMode] ?? "l2", ...(flag === "bridge" ? [] : [flag])];
}
