/** What a crash of the engine or somebody else's tools left without its other half. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ReadyNetwork } from "./host-networks.ts";
import { attachToBridge } from "./interfaces/container-interface.ts";
import { deleteInterface } from "./interfaces/link.ts";
import { changeSandboxRoutes } from "./interfaces/sandbox-interfaces.ts";
import { removeNamespace } from "./namespace.ts";
import type { NetworkSandbox } from "./network-driver.ts";
import { RouteSocket } from "./rtnetlink/route-socket.ts";

/** The digits of a host end's name, behind the engine's prefix. */
const HOST_END_DIGITS = 8;

/** Removes the namespaces pinned in `directory` that belong to no container for which `isKnown` says so. */
export async function removeLostNamespaces(
  directory: string,
  isKnown: (containerId: string) => boolean,
): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  await Promise.all(names.filter((name) => !isKnown(name)).map((name) => removeNamespace(join(directory, name))));
}

/**
 * Deletes host ends of veth pairs that no endpoint has, and puts back the default routes that may have gone with them: an engine died while it connected
 * or disconnected a running container.
 */
export async function removeLostPairs(hostPrefix: string, sandboxes: readonly NetworkSandbox[]): Promise<void> {
  const known = new Set(sandboxes.flatMap(({ endpoints }) => endpoints.map(({ hostInterface }) => hostInterface)));
  using host = new RouteSocket();
  const lost = (await host.links()).filter(
    ({ kind, name }) =>
      kind === "veth" &&
      name.startsWith(hostPrefix) &&
      name.length === hostPrefix.length + HOST_END_DIGITS &&
      !known.has(name),
  );
  if (lost.length === 0) return;
  await Promise.all(lost.map(({ name }) => deleteInterface(name)));
  for (const { netnsPath, endpoints } of sandboxes) await changeSandboxRoutes(netnsPath, [], endpoints);
}

/** Attaches running containers to a bridge that was made anew. Where their pairs are gone too (after a reboot), so are they. */
export async function attachAgain({ record, mtu }: ReadyNetwork, sandboxes: readonly NetworkSandbox[]): Promise<void> {
  using host = new RouteSocket();
  for (const { endpoints, portRequests } of sandboxes) {
    const endpoint = endpoints.find(({ networkId, hostInterface }) => networkId === record.id && hostInterface !== "");
    if (!endpoint || !(await host.findLink(endpoint.hostInterface))) continue;
    await attachToBridge(host, { endpoint, network: record, mtu, sysctls: {} }, portRequests.length > 0);
  }
}
