import { routeChanges } from "../default-route.ts";
import { createNamespace } from "../namespace.ts";
import type { NetworkEndpoint } from "../network-driver.ts";
import { RouteSocket } from "../rtnetlink/route-socket.ts";
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
  for (const one of planned) await addInterface(host, path, one, hairpin);
  await inside.change(
    ...added.flatMap((endpoint) => settings(inside, endpoint)),
    ...routeChanges(inside, before, [...before, ...added]),
  );
}
