import type { ContainerContext } from "#engine/containers/container-context.ts";
import { checkFilters, type Filters, labelsFit, untilFilter } from "#engine/filters.ts";
import { ForbiddenError } from "#errors/errors.ts";
import type { NetworkRecord } from "#network/network-driver.ts";
import { publishNetworkEvent } from "./network-events.ts";
import { membersOf } from "./network-members.ts";
import { isPredefined } from "./network-registry.ts";

/** Removes a network. Throws NotFoundError, or ForbiddenError in Docker's words for a predefined one or one with running containers. */
export async function removeNetwork(context: ContainerContext, term: string): Promise<void> {
  const known = context.networks.resolve(term);
  const { name, record, config } = known;
  if (config) {
    context.networks.removeConfig(config);
    publishNetworkEvent(context.events, known, "destroy");
    return;
  }
  if (!record || isPredefined(name)) throw new ForbiddenError(`${name} is a pre-defined network and cannot be removed`);
  const active = membersOf(context, record.id).map(
    ({ container, endpoint }) => `name:"${container.name}" id:"${endpoint.endpointId.slice(0, 12)}"`,
  );
  if (active.length > 0) {
    throw new ForbiddenError(
      `error while removing network: network ${name} has active endpoints (${active.join(", ")})`,
    );
  }
  await context.networks.remove(record);
  publishNetworkEvent(context.events, { ...record, record }, "destroy");
}

/** Removes the networks that no running container is on. Resolves with their names. Throws InvalidParameterError for a bad filter. */
export async function pruneNetworks(context: ContainerContext, filters: Filters): Promise<readonly string[]> {
  checkFilters(filters, ["label", "label!", "until"]);
  const until = untilFilter(filters);
  const isUnused = (record: NetworkRecord): boolean =>
    !isPredefined(record.name) &&
    record.created < until &&
    labelsFit(filters, record.labels) &&
    membersOf(context, record.id).length === 0;
  const removed: string[] = [];
  for (const record of context.networks.records().filter(isUnused)) {
    try {
      await removeNetwork(context, record.id);
      removed.push(record.name);
    } catch (error) {
      // A container came in the meantime.
      if (!(error instanceof ForbiddenError)) throw error;
    }
  }
  context.events.publish("network", "prune", "", { reclaimed: "0" });
  return removed;
}
