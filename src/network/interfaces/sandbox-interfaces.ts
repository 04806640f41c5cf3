import { changeRoutes } from "../default-route.ts";
import { createNamespace } from "../namespace.ts";
import type { NetworkEndpoint } from "../network-driver.ts";
import { RouteSocket } from "../rtnetlink/route-socket.ts";
import { addInterface, type PlannedInterface } from "./container-interface.ts";
import { deleteInterface, deleteInterfaceIn } from "./link.ts";

/** Makes the namespace `path` with all interfaces and routes. What was made when it fails goes with the namespace, which the caller removes. */
export async function makeSandbox(path: string, planned: readonly PlannedInterface[], hairpin: boolean): Promise<void> {
  await createNamespace(path);
  if (planned.length === 0) return;
  using host = new RouteSocket();
  using inside = new RouteSocket(path);
  for (const one of planned) await addInterface(host, inside, path, one, hairpin);
  await changeRoutes(
    inside,
    [],
    planned.map(({ endpoint }) => endpoint),
  );
}

/** Adds an interface to the namespace of a running container; its routes follow with `changeSandboxRoutes`. */
export async function addToSandbox(path: string, planned: PlannedInterface, hairpin: boolean): Promise<void> {
  using host = new RouteSocket();
  using inside = new RouteSocket(path);
  await addInterface(host, inside, path, planned, hairpin);
}

/** Moves the default routes of a running container. */
export async function changeSandboxRoutes(
  path: string,
  before: readonly NetworkEndpoint[],
  after: readonly NetworkEndpoint[],
): Promise<void> {
  using inside = new RouteSocket(path);
  await changeRoutes(inside, before, after);
}

/** Idempotent. */
export function removeFromSandbox(path: string, { hostInterface, interfaceName }: NetworkEndpoint): Promise<void> {
  return hostInterface ? deleteInterface(hostInterface) : deleteInterfaceIn(path, interfaceName);
}
