import type { Family } from "#lib/ip-address.ts";
import type { NetlinkRequest } from "#sys/netlink/socket.ts";
import type { NetworkEndpoint } from "./network-driver.ts";
import { type DefaultRoute, deleteDefaultRoute, setDefaultRoute } from "./rtnetlink/address-message.ts";
import type { RouteSocket } from "./rtnetlink/route-socket.ts";

/** The endpoint that leads outside, per family: the one of the highest priority, among equals the first by the network's name. */
export function gatewayEndpoint(endpoints: readonly NetworkEndpoint[], family: Family): NetworkEndpoint | undefined {
  return endpoints
    .filter((endpoint) => gatewayOf(endpoint, family) !== "")
    .toSorted((a, b) => b.gatewayPriority - a.gatewayPriority || compare(a.networkName, b.networkName))[0];
}

/**
 * What changes the default routes of a container whose endpoints change. `inside` is in its namespace, where the interfaces of `after` are, and are up
 * when this is done.
 */
export function routeChanges(
  inside: RouteSocket,
  before: readonly NetworkEndpoint[],
  after: readonly NetworkEndpoint[],
): readonly NetlinkRequest[] {
  return ([4, 6] as const).flatMap((family) => {
    const old = gatewayEndpoint(before, family);
    const now = gatewayEndpoint(after, family);
    if (old?.endpointId === now?.endpointId) return [];
    if (now) return [setDefaultRoute(routeOf(inside, now, family))];
    // The interface takes the route along when it goes itself.
    return old && after.includes(old) ? [deleteDefaultRoute(routeOf(inside, old, family))] : [];
  });
}

function routeOf(inside: RouteSocket, endpoint: NetworkEndpoint, family: Family): DefaultRoute {
  return { family, gateway: gatewayOf(endpoint, family), index: inside.indexOf(endpoint.interfaceName) };
}

function gatewayOf(endpoint: NetworkEndpoint, family: Family): string {
  return family === 4 ? endpoint.gateway : endpoint.gateway6;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
