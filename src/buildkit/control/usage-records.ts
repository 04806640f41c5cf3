import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Engine } from "#engine/engine.ts";
import type { DiskUsageRequest, PruneRequest, UsageRecordSchema } from "#proto/control_pb.ts";
import { usageFilter } from "./usage-filters.ts";

type Record = MessageInitShape<typeof UsageRecordSchema>;

/** What builds left behind, as BuildKit lists it. Throws InvalidParameterError for a bad filter. */
export function usageRecords(engine: Engine, { filter, ageLimit }: DiskUsageRequest): Record[] {
  const matches = usageFilter(filter);
  const before = Date.now() - Number(ageLimit) / 1_000_000;
  const entries = engine.builds.cacheEntries().filter((entry) => matches(entry) && entry.lastUsed <= before);
  return entries.map(usageRecord);
}

/** Prunes, and tells what went. Throws InvalidParameterError for a bad filter. */
export async function prune(engine: Engine, request: PruneRequest): Promise<Record[]> {
  const filters = new Map<string, string[]>();
  if (request.keepDuration > 0n) filters.set("until", [`${request.keepDuration / 1_000_000_000n}s`]);
  const matches = usageFilter(request.filter);
  const before = new Map(engine.builds.cacheEntries().map((entry) => [entry.id, entry]));
  await engine.containers.snapshotter.releaseIdle();
  const { deleted } = await engine.builds.prune({
    all: request.all,
    filters,
    matches,
    reservedSpace: Number(request.reservedSpace),
    maxUsedSpace: Number(request.maxUsedSpace),
    minFreeSpace: Number(request.minFreeSpace),
  });
  return deleted.flatMap((id) => {
    const entry = before.get(id);
    return entry ? [usageRecord(entry)] : [];
  });
}

function usageRecord(entry: ReturnType<Engine["builds"]["cacheEntries"]>[number]): Record {
  return {
    id: entry.id,
    inUse: entry.inUse,
    shared: entry.shared,
    size: BigInt(entry.diskSize),
    createdAt: timestampFromMs(Math.round(entry.created)),
    lastUsedAt: timestampFromMs(Math.round(entry.lastUsed)),
    usageCount: BigInt(entry.uses),
    description: entry.description,
    recordType: entry.type,
  };
}
