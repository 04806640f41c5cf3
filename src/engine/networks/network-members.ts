import type { ContainerContext } from "#engine/containers/container-context.ts";
import { type ContainerRecord, isRunning } from "#engine/containers/container-record.ts";
import type { NetworkEndpoint } from "#network/network-driver.ts";

/** A running container on a network. */
export interface NetworkMembership {
  readonly container: ContainerRecord;
  readonly endpoint: NetworkEndpoint;
}

/** The running containers that are connected to a network. */
export function membersOf(
  context: Pick<ContainerContext, "containers">,
  networkId: string,
): readonly NetworkMembership[] {
  return context.containers.list().flatMap((container) => {
    if (!isRunning(container)) return [];
    const endpoint = container.sandbox?.endpoints.find((candidate) => candidate.networkId === networkId);
    return endpoint ? [{ container, endpoint }] : [];
  });
}
