import type { ContainerContext } from "#engine/containers/container-context.ts";
import { checkFilters, type Filters, labelsFit, untilFilter } from "#engine/filters.ts";
import { pruneAlone } from "#engine/prune-alone.ts";
import { ForbiddenError, NotFoundError } from "#errors/errors.ts";
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

/**
 * Removes the networks that no running container is on. Resolves with their names. Throws InvalidParameterError for a bad filter, ConflictError while
 * another prune runs.
 */
export async function pruneNetworks(context: ContainerContext, filters: Filters): Promise<readonly string[]> {
  checkFilters(filters, ["label", "label!", "until"]);
  const until = untilFilter(filters);
  const isUnused = (record: NetworkRecord): boolean =>
    !isPredefined(record.name) &&
    record.created < until &&
    labelsFit(filters, record.labels) &&
    membersOf(context, record.id).length === 0;
  const chosen = context.networks.records().filter(isUnused);
  return pruneAlone(context, "networks", () => prune(context, chosen));
}

async function prune(context: ContainerContext, networks: readonly NetworkRecord[]): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const { id, name } of networks) {
    try {
      await removeNetwork(context, id);
      removed.push(name);
    } catch (error) {
      // A container came in the meantime, or somebody else removed it.
      if (!(error instanceof ForbiddenError) && !(error instanceof NotFoundError)) throw error;
    }
  }
  context.events.publish("network", "prune", "", { reclaimed: "0" });
  return removed;
}
