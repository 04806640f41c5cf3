import { writeFileSync } from "node:fs";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { inNetworkNamespace } from "#sys/network-namespace.ts";
import { routeChanges } from "../default-route.ts";
import { createNamespace } from "../namespace.ts";
import type { NetworkEndpoint } from "../network-driver.ts";
import { RouteSocket } from "../rtnetlink/route-socket.ts";
import { hasIpv6 } from "../sysctl.ts";
import { addInterface, type PlannedInterface, settings } from "./container-interface.ts";
import { deleteInterface, deleteInterfaceIn } from "./link.ts";

/** Makes the namespace `path` with all interfaces and routes. What was made when it fails goes with the namespace, which the caller removes. */
export async function makeSandbox(path: string, planned: readonly PlannedInterface[], hairpin: boolean): Promise<void> {
  await createNamespace(path);
  if (planned.length > 0) await addInterfaces(path, planned, hairpin, []);
}

/** Adds an interface to the namespace of a running container, and moves the default routes from those of the endpoints `before`. */
export async function addToSandbox(
  path: string,
  planned: PlannedInterface,
  hairpin: boolean,
  before: readonly NetworkEndpoint[],
): Promise<void> {
  await addInterfaces(path, [planned], hairpin, before);
}

/** Moves the default routes of a running container. */
export async function changeSandboxRoutes(
  path: string,
  before: readonly NetworkEndpoint[],
  after: readonly NetworkEndpoint[],
): Promise<void> {
  using inside = new RouteSocket(path);
  await inside.change(...routeChanges(inside, before, after));
}

/**
 * Whether interfaces that are made from now on in the namespace `path` have IPv6: without addresses of it they have none at all, as with Docker, not even a link-local
 * one. Of an interface that is there it would be a matter of the lock that all interfaces of this host share, and that may be held for long.
 */
function setDefaultIpv6(path: string, isOn: boolean): void {
  if (hasIpv6()) writeSysctls(path, { "net/ipv6/conf/default/disable_ipv6": isOn ? "0" : "1" });
}

function hasIpv6Address({ ipv6, linkLocal = [] }: NetworkEndpoint): boolean {
  return ipv6 !== "" || linkLocal.some((address) => address.includes(":"));
}

/** In the namespace `path`. Throws InvalidParameterError, in Docker's words, for a parameter that the kernel does not take. */
function writeSysctls(path: string, sysctls: Readonly<Record<string, string>>): void {
  const all = Object.entries(sysctls);
  if (all.length === 0) return;
  inNetworkNamespace(path, () => {
    for (const [name, value] of all) {
      try {
        writeFileSync(`/proc/sys/${name}`, value);
      } catch (cause) {
        throw new InvalidParameterError(
          `unable to set sysctl ${name.replaceAll("/", ".")}=${value}: ${errorMessage(cause)}`,
          { cause },
        );
      }
    }
  });
}

/** Idempotent. */
export function removeFromSandbox(path: string, { hostInterface, interfaceName }: NetworkEndpoint): Promise<void> {
  return hostInterface ? deleteInterface(hostInterface) : deleteInterfaceIn(path, interfaceName);
}

/** Each in one call, and then all that is inside in one: under load each call waits for those of all other containers. */
async function addInterfaces(
  path: string,
  planned: readonly PlannedInterface[],
  hairpin: boolean,
  before: readonly NetworkEndpoint[],
): Promise<void> {
  const added = planned.map(({ endpoint }) => endpoint);
  using host = new RouteSocket();
  using inside = new RouteSocket(path);
  try {
    for (const one of planned) {
      setDefaultIpv6(path, hasIpv6Address(one.endpoint));
      await addInterface(host, path, one, hairpin);
    }
  } finally {
    setDefaultIpv6(path, true);
  }
  writeSysctls(path, Object.assign({}, ...planned.map(({ sysctls }) => sysctls)));
  await inside.change(
    ...planned.flatMap((one) => settings(inside, one)),
    ...routeChanges(inside, before, [...before, ...added]),
  );
}
