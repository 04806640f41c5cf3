import { randomBytes } from "node:crypto";
import type { ContainerContext } from "#engine/containers/container-context.ts";
import type { ContainerMount, ContainerRecord } from "#engine/containers/container-record.ts";
import type { Pruned } from "#engine/containers/prune.ts";
import { booleanFilter, checkFilters, expressionFilter, type Filters, labelsFit } from "#engine/filters.ts";
import { pruneAlone } from "#engine/prune-alone.ts";
import { ConflictError, NotFoundError } from "#errors/errors.ts";
import type { Volume } from "#volume/volume-store.ts";

export type { Volume };

export interface VolumeRequest {
  /** "" for an anonymous one. */
  readonly name: string;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly driverOpts: Readonly<Record<string, string>>;
  /** The container that an anonymous one is made for. */
  readonly madeFor?: string;
}

/** How Docker tells volumes that nobody named. */
const ANONYMOUS_LABEL = "com.docker.volume.anonymous";

/** Makes a volume, or returns the one of that name. */
export async function createVolume(context: ContainerContext, request: VolumeRequest): Promise<Volume> {
  const name = request.name || randomBytes(32).toString("hex");
  if (request.driver !== "" && request.driver !== "local") {
    const problem = `error looking up volume plugin ${request.driver}: plugin "${request.driver}" not found`;
    throw new NotFoundError(`create ${name}: ${problem}`);
  }
  const known = request.name !== "" && context.volumes.get(request.name) !== undefined;
  const volume = await context.volumes.create(name, {
    labels: request.name === "" ? { ...request.labels, [ANONYMOUS_LABEL]: "" } : request.labels,
    driverOpts: request.driverOpts,
    anonymous: request.name === "",
    ...(request.name === "" && request.madeFor ? { madeFor: request.madeFor } : {}),
  });
  if (!known) context.events.publish("volume", "create", volume.name, { driver: volume.driver });
  return volume;
}

/** Removes a volume that no container has. Throws NotFoundError (unless `force`) and ConflictError in Docker's words. */
export async function removeVolume(context: ContainerContext, name: string, force: boolean): Promise<void> {
  const volume = context.volumes.get(name);
  if (!volume) {
    if (force) return;
    throw new NotFoundError(`get ${name}: no such volume`);
  }
  const users = volumeUsers(context, name);
  if (users.length > 0) throw new ConflictError(`remove ${name}: volume is in use - [${users.join(", ")}]`);
  await context.volumes.remove(name);
  context.events.publish("volume", "destroy", name, { driver: volume.driver });
}

/** Ids of the containers, running or not, that have the volume, or are being made with it. */
export function volumeUsers({ containers }: Pick<ContainerContext, "containers">, name: string): string[] {
  const users = containers
    .list()
    .filter((record) => record.mounts.some((mount) => isVolume(mount) && mount.name === name))
    .map((record) => record.id);
  const makers = [...containers.pending()].filter(([, { volumes }]) => volumes.has(name)).map(([id]) => id);
  return [...new Set([...users, ...makers])];
}

function isVolume(mount: ContainerMount): boolean {
  return mount.type === "volume";
}

/** The volumes that the filters (`dangling`, `driver`, `label`, `name`) leave. Throws InvalidParameterError for a bad filter. */
export function listVolumes(context: ContainerContext, filters: Filters): Volume[] {
  checkFilters(filters, ["dangling", "driver", "label", "name"]);
  const dangling = booleanFilter(filters, "dangling");
  const used = dangling === undefined ? undefined : usedVolumes(context.containers.list());
  return context.volumes
    .list()
    .filter((volume) => matches(volume, filters) && (!used || used.has(volume.name) !== dangling));
}

/**
 * Removes unused anonymous volumes; with `all=true`, named ones too. Throws InvalidParameterError for a bad filter, ConflictError while another
 * prune runs.
 */
export async function pruneVolumes(context: ContainerContext, filters: Filters): Promise<Pruned> {
  const chosen = prunableVolumes(context, filters, context.containers.list());
  return pruneAlone(context, "volumes", () => prune(context, chosen));
}

async function prune(context: ContainerContext, volumes: readonly Volume[]): Promise<Pruned> {
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const volume of volumes) {
    const { name, driver } = volume;
    const bytes = await context.volumes.usage(volume);
    // A container may have come to have it since, or somebody has removed it.
    if (volumeUsers(context, name).length > 0 || !context.volumes.get(name)) continue;
    await context.volumes.remove(name);
    context.events.publish("volume", "destroy", name, { driver });
    deleted.push(name);
    reclaimed += bytes;
  }
  context.events.publish("volume", "prune", "", { reclaimed: String(reclaimed) });
  return { deleted, reclaimed };
}

/** The volumes that a prune with these filters removes when there are these containers. Throws InvalidParameterError for a bad filter. */
export function prunableVolumes(
  context: ContainerContext,
  filters: Filters,
  containers: readonly ContainerRecord[],
): Volume[] {
  checkFilters(filters, ["all", "label", "label!"]);
  const all = booleanFilter(filters, "all") ?? false;
  const used = usedVolumes(containers);
  return (
    context.volumes
      .list()
      .filter((volume) => (all || volume.anonymous) && !used.has(volume.name) && labelsFit(filters, volume.labels))
      // It belongs to a container that is not there yet.
      .filter(({ madeFor }) => madeFor === undefined)
  );
}

function usedVolumes(containers: readonly ContainerRecord[]): ReadonlySet<string> {
  return new Set(containers.flatMap(({ mounts }) => mounts.filter(isVolume).map(({ name }) => name)));
}

function matches(volume: Volume, filters: Filters): boolean {
  const some = (name: string, test: (value: string) => boolean): boolean =>
    !filters.has(name) || (filters.get(name) ?? []).some(test);
  return (
    expressionFilter(filters, "name")(volume.name) &&
    some("driver", (value) => volume.driver === value) &&
    labelsFit(filters, volume.labels)
  );
}
