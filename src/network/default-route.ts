import type { NetworkEndpoint } from "./network-driver.ts";

/** The endpoint that leads outside, per family: the one of the highest priority, among equals the first by the network's name. */
export function gatewayEndpoint(endpoints: readonly NetworkEndpoint[], family: 4 | 6): NetworkEndpoint | undefined {
  return endpoints
    .filter((endpoint) => gatewayOf(endpoint, family) !== "")
    .toSorted((a, b) => b.gatewayPriority - a.gatewayPriority || compare(a.networkName, b.networkName))[0];
}

/** Commands of ip(8), for a namespace without default routes. */
export function addRouteCommands(endpoints: readonly NetworkEndpoint[]): readonly string[] {
  return ([4, 6] as const).flatMap((family) => {
    const endpoint = gatewayEndpoint(endpoints, family);
    return endpoint ? [`route add ${routeOf(endpoint, family)}`] : [];
  });
}

/** Commands of ip(8) that change the default routes of a container whose endpoints change. The interfaces of `after` are up. */
export function changeRouteCommands(
  before: readonly NetworkEndpoint[],
  after: readonly NetworkEndpoint[],
): readonly string[] {
  return ([4, 6] as const).flatMap((family) => {
    const old = gatewayEndpoint(before, family);
    const now = gatewayEndpoint(after, family);
    if (old?.endpointId === now?.endpointId) return [];
    if (now) return [`route replace ${routeOf(now, family)}`];
    // The interface takes the route along when it goes itself.
    return old && after.includes(old) ? [`route del ${routeOf(old, family)}`] : [];
  });
}

function routeOf(endpoint: NetworkEndpoint, family: 4 | 6): string {
  // "default" alone would be IPv4's in either case.
  const target = family === 4 ? "default" : "::/0";
  return `${target} via ${gatewayOf(endpoint, family)} dev ${endpoint.interfaceName}`;
}

function gatewayOf(endpoint: NetworkEndpoint, family: 4 | 6): string {
  return family === 4 ? endpoint.gateway : endpoint.gateway6;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
