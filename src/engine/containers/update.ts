import { BerthError, ConflictError, NotImplementedError } from "#errors/errors.ts";
import type { HostConfig } from "#spec/docker-containers.ts";
import type { ContainerResources } from "#spec/docker-resources.ts";
import type { UpdateRequest } from "#spec/docker-update.ts";
import type { ContainerContext } from "./container-context.ts";
import { eventAttributes, isRunning } from "./container-record.ts";
import { discardLimits } from "./request/discard-limits.ts";
import { checkRestartPolicy } from "./request/validate-create.ts";
import { checkLimits } from "./request/validate-limits.ts";
import { resourceLimits } from "./run/resource-limits.ts";

/** What can change while a container exists. */
const CHANGEABLE = [
  "BlkioWeight",
  "CpuShares",
  "NanoCpus",
  "CpuPeriod",
  "CpuQuota",
  "CpuRealtimePeriod",
  "CpuRealtimeRuntime",
  "CpusetCpus",
  "CpusetMems",
  "Memory",
  "MemorySwap",
  "MemoryReservation",
  "PidsLimit",
] as const satisfies readonly (keyof ContainerResources)[];

/**
 * Changes limits and restart policy of a container, at once if it runs. Resolves with warnings for the client. Throws
 * InvalidParameterError and ConflictError in Docker's words; then nothing has changed.
 */
export async function updateContainer(
  context: ContainerContext,
  nameOrId: string,
  request: UpdateRequest,
): Promise<readonly string[]> {
  const { hostConfig: change, warnings } = discardLimits(request, context.features);
  checkChangeable(change);
  checkLimits(request, { isUpdate: true });
  const { id } = context.containers.resolve(nameOrId);
  checkRestartPolicy(request);
  return context.locks.run(id, async () => {
    try {
      const record = context.containers.get(id);
      if (record.state.phase === "removing" || record.state.phase === "dead")
        throw new ConflictError('container is marked for removal and cannot be "update"');
      const hostConfig = updatedHostConfig(record.hostConfig, change);
      if (isRunning(record)) await context.runtime.update(id, resourceLimits(hostConfig)).catch(unlessEnded);
      const updated = context.containers.update(id, (current) => ({ ...current, hostConfig }));
      context.events.publish("container", "update", id, eventAttributes(updated));
      return warnings;
    } catch (error) {
      if (error instanceof BerthError) error.message = `Cannot update container ${id}: ${error.message}`;
      throw error;
    }
  });
}

/** A container that ends in the middle needs no limits; its next run begins with them. The runtime has no other conflict. */
function unlessEnded(error: unknown): void {
  if (!(error instanceof ConflictError)) throw error;
}

/** Fields that Docker would take and drop. */
function checkChangeable(request: UpdateRequest): void {
  const changeable: readonly string[] = [...CHANGEABLE, "RestartPolicy"];
  for (const [name, value] of Object.entries(request)) {
    const isSet = Array.isArray(value) ? value.length > 0 : Boolean(value);
    if (isSet && !changeable.includes(name))
      throw new NotImplementedError(`${name} of a container that exists cannot be changed: make a new container`);
  }
}

/**
 * `current` with what `change` names. Throws ConflictError where the two contradict each other.
 * https://github.com/moby/moby/blob/v28.2.2/container/container_unix.go (UpdateContainer)
 */
export function updatedHostConfig(current: HostConfig, change: UpdateRequest): HostConfig {
  checkProcessorConflicts(current, change);
  const { Memory = 0, MemorySwap = 0, RestartPolicy: policy } = change;
  if (Memory !== 0 && MemorySwap === 0 && Memory > swapOf(current)) {
    throw new ConflictError(
      "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
    );
  }
  const isPolicy = (policy?.Name ?? "") !== "";
  if (isPolicy && current.AutoRemove && policy?.Name !== "no") {
    throw new ConflictError("Restart policy cannot be updated because AutoRemove is enabled for the container");
  }
  const changed = CHANGEABLE.filter((name) => change[name]).map((name) => [name, change[name]]);
  return {
    ...current,
    ...Object.fromEntries(changed),
    // However "no limit" is said, it is shown as Docker shows it.
    ...((change.PidsLimit ?? 1) <= 0 ? { PidsLimit: 0 } : {}),
    ...(policy && isPolicy
      ? { RestartPolicy: { Name: policy.Name, MaximumRetryCount: policy.MaximumRetryCount ?? 0 } }
      : {}),
  };
}

function checkProcessorConflicts(current: HostConfig, change: UpdateRequest): void {
  const conflicts: readonly (readonly [keyof UpdateRequest & keyof HostConfig, keyof HostConfig, string])[] = [
    ["NanoCpus", "CpuPeriod", "Nano CPUs cannot be updated as CPU Period has already been set"],
    ["NanoCpus", "CpuQuota", "Nano CPUs cannot be updated as CPU Quota has already been set"],
    ["CpuPeriod", "NanoCpus", "CPU Period cannot be updated as NanoCPUs has already been set"],
    ["CpuQuota", "NanoCpus", "CPU Quota cannot be updated as NanoCPUs has already been set"],
  ];
  for (const [wanted, set, text] of conflicts) {
    if (change[wanted] && current[set]) throw new ConflictError(`Conflicting options: ${text}`);
  }
}

/** Twice the memory where nothing was said of swap; 0 without a limit, as in Docker. */
function swapOf({ Memory = 0, MemorySwap = 0 }: HostConfig): number {
  return MemorySwap === 0 ? Memory * 2 : MemorySwap;
}
