import { randomBytes } from "node:crypto";
import { errorMessage, InvalidParameterError, SystemError } from "#errors/errors.ts";
import { SystemCallError } from "#sys/libc.ts";
import type { NetworkRecord } from "../network-driver.ts";
import { NETWORK_OPTION } from "../network-options.ts";
import { addParentLink, deleteLink, type ParentLinkMode } from "../rtnetlink/link-message.ts";
import { RouteSocket } from "../rtnetlink/route-socket.ts";

/** linux/if_link.h */
const MACVLAN_MODES: Readonly<Record<string, number>> = { private: 1, vepa: 2, bridge: 4, passthru: 8 };
const IPVLAN_MODES: Readonly<Record<string, number>> = { l2: 0, l3: 1, l3s: 2 };
const IPVLAN_FLAGS: Readonly<Record<string, number>> = { bridge: 0, private: 1, vepa: 2 };

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
  using host = new RouteSocket();
  const link = await host.findLink(parent);
  if (!link) {
    throw new InvalidParameterError(
      `invalid subinterface vlan name ${parent}, example formatting is eth0.10: this host has no interface "${parent}"`,
    );
  }
  const probe = `b${randomBytes(6).toString("hex")}`;
  try {
    await host.change(addParentLink({ name: probe }, link.index, parentLinkMode(network)));
  } catch (error) {
    const isUnknown = error instanceof SystemCallError && error.errno === "EOPNOTSUPP";
    const problem = isUnknown
      ? `this host's kernel has no ${driver} (CONFIG_${driver.toUpperCase()})`
      : `"${parent}" can have no ${driver} links`;
    throw new SystemError(`cannot make ${driver} network "${name}": ${problem}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  await host.change(deleteLink(probe));
}

/** The kernel's numbers for the mode of an interface on the network's parent. */
export function parentLinkMode({ driver, options }: NetworkRecord): ParentLinkMode {
  const modeOf = (modes: Readonly<Record<string, number>>, option: string, standard: string): number =>
    modes[options[option] ?? standard] ?? 0;
  if (driver === "macvlan") {
    return { kind: "macvlan", mode: modeOf(MACVLAN_MODES, NETWORK_OPTION.macvlanMode, "bridge"), flags: 0 };
  }
  return {
    kind: "ipvlan",
    mode: modeOf(IPVLAN_MODES, NETWORK_OPTION.ipvlanMode, "l2"),
    flags: modeOf(IPVLAN_FLAGS, NETWORK_OPTION.ipvlanFlag, "bridge"),
  };
}
