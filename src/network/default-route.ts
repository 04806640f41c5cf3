import type { Family } from "#lib/ip-address.ts";
import type { NetworkEndpoint } from "./network-driver.ts";
import { deleteDefaultRoute, setDefaultRoute } from "./rtnetlink/address-message.ts";
import type { RouteSocket } from "./rtnetlink/route-socket.ts";

/** The endpoint that leads outside, per family: the one of the highest priority, among equals the first by the network's name. */
export function gatewayEndpoint(endpoints: readonly NetworkEndpoint[], family: Family): NetworkEndpoint | undefined {
  return endpoints
    .filter((endpoint) => gatewayOf(endpoint, family) !== "")
    .toSorted((a, b) => b.gatewayPriority - a.gatewayPriority || compare(a.networkName, b.networkName))[0];
}

/** Changes the default routes of a container whose endpoints change. `inside` is its namespace; the interfaces of `after` are up. */
export async function changeRoutes(
  inside: RouteSocket,
  before: readonly NetworkEndpoint[],
  after: readonly NetworkEndpoint[],
): Promise<void> {
  for (const family of [4, 6] as const) {
    const old = gatewayEndpoint(before, family);
    const now = gatewayEndpoint(after, family);
    if (old?.endpointId === now?.endpointId) continue;
    if (now) await inside.change(setDefaultRoute(await routeOf(inside, now, family)));
    // The interface takes the route along when it goes itself.
    else if (old && after.includes(old)) await inside.change(deleteDefaultRoute(await routeOf(inside, old, family)));
  }
}

async function routeOf(
  inside: RouteSocket,
  endpoint: NetworkEndpoint,
  family: Family,
): Promise<{ readonly family: Family; readonly gateway: string; readonly index: number }> {
  const { index } = await inside.link(endpoint.interfaceName);
  return { family, gateway: gatewayOf(endpoint, family), index };
}

function gatewayOf(endpoint: NetworkEndpoint, family: Family): string {
  return family === 4 ? endpoint.gateway : endpoint.gateway6;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
