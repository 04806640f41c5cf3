import { booleanFilter, checkFilters, type Filters, labelsFit, untilFilter } from "#engine/filters.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";

/** One thing that builds left behind and that a prune may take. Times are milliseconds since the epoch. */
export interface CacheEntry {
  /** 25 characters, as BuildKit's ids. */
  readonly id: string;
  readonly type: "regular" | "source.local" | "exec.cachemount" | "internal";
  readonly description: string;
  /** A running build needs it. */
  readonly inUse: boolean;
  /** Its layer also belongs to an image. */
  readonly shared: boolean;
  readonly lastUsed: number;
  /** Bytes on disk. Several entries may have one layer; it is freed with the last of them, and not at all while an image has it. */
  readonly diskSize: number;
  readonly layer?: Digest;
}

/** How much a prune may take; bytes, 0 or absent: no such bound. https://docs.docker.com/build/cache/garbage-collection/ */
export interface SpaceLimits {
  /** Leave this much, whatever the others say. */
  readonly reservedSpace?: number;
  /** Take as much as goes beyond this. */
  readonly maxUsedSpace?: number;
  /** Take as much as the disk needs to have this much free. */
  readonly minFreeSpace?: number;
}

export interface CachePruneOptions extends SpaceLimits {
  /** Also steps whose layer an image has. */
  readonly all: boolean;
  readonly filters: Filters;
  /** What may go besides; by default everything. */
  readonly matches?: (entry: CacheEntry) => boolean;
}

/** Those of buildx and of the API; cached steps have no labels. */
const FILTERS = [
  "until",
  "unused-for",
  "id",
  "parent",
  "type",
  "description",
  "inuse",
  "shared",
  "private",
  "label",
  "label!",
];

/**
 * What a prune takes of `entries`, the longest unused first, until the space limits are met; never what a running build uses. `free`: bytes
 * that the disk has free now. Throws InvalidParameterError for a bad filter.
 */
export function choosePrunable<T extends CacheEntry>(
  entries: readonly T[],
  options: CachePruneOptions,
  free: number,
): readonly T[] {
  const matches = entryFilter(options.filters);
  const byAge = entries.toSorted((a, b) => a.lastUsed - b.lastUsed || (a.id < b.id ? -1 : 1));
  const candidates = byAge.filter(
    (entry) => !entry.inUse && (options.all || !entry.shared) && matches(entry) && (options.matches?.(entry) ?? true),
  );
  const space = new UsedSpace(entries);
  const keep = bytesToKeep(space.bytes, options, free);
  const chosen: T[] = [];
  for (const entry of candidates) {
    if (keep !== undefined && space.bytes <= keep) break;
    chosen.push(entry);
    space.take(entry);
  }
  return chosen;
}

/** BuildKit's rule (cache/manager.go, calculateKeepBytes). Undefined: everything may go. */
function bytesToKeep(used: number, limits: SpaceLimits, free: number): number | undefined {
  const { reservedSpace = 0, maxUsedSpace = 0, minFreeSpace = 0 } = limits;
  if (reservedSpace === 0 && maxUsedSpace === 0 && minFreeSpace === 0) return undefined;
  const missing = Math.max(0, minFreeSpace - free);
  const bounds = [...(maxUsedSpace > 0 ? [maxUsedSpace] : []), ...(missing > 0 ? [used - missing] : [])];
  // Nothing but a reserve: all beyond it goes. A disk with room enough and no bound: nothing does.
  if (bounds.length === 0) return minFreeSpace > 0 ? used : reservedSpace;
  return Math.max(Math.min(...bounds), reservedSpace);
}

/** Bytes that entries cost beyond what images need anyway, while entries are taken away. */
class UsedSpace {
  bytes = 0;
  readonly #users = new Map<Digest, number>();

  constructor(entries: readonly CacheEntry[]) {
    for (const { shared, layer, diskSize } of entries) {
      if (shared) continue;
      const users = layer === undefined ? 0 : (this.#users.get(layer) ?? 0);
      if (layer !== undefined) this.#users.set(layer, users + 1);
      if (users === 0) this.bytes += diskSize;
    }
  }

  take({ shared, layer, diskSize }: CacheEntry): void {
    if (shared) return;
    const users = layer === undefined ? 1 : (this.#users.get(layer) ?? 1);
    if (layer !== undefined) this.#users.set(layer, users - 1);
    if (users === 1) this.bytes -= diskSize;
  }
}

/** Throws InvalidParameterError. */
function entryFilter(filters: Filters): (entry: CacheEntry) => boolean {
  checkFilters(filters, FILTERS);
  const before = usedBefore(filters);
  const one = (name: string): string | undefined => {
    const values = filters.get(name) ?? [];
    if (values.length > 1) throw new InvalidParameterError("filters expect only one value");
    return values[0];
  };
  const [id, parent, type, description] = [one("id"), one("parent"), one("type"), one("description")];
  const [inUse, shared, isPrivate] = ["inuse", "shared", "private"].map((name) => presence(filters, name));
  return (entry) =>
    entry.lastUsed < before &&
    (id === undefined || entry.id.startsWith(id.replace(/^sha256:/, "").slice(0, entry.id.length))) &&
    // No step has another as its parent: each stands on a root, whoever made that.
    parent === undefined &&
    (type === undefined || entry.type === type) &&
    (description === undefined || entry.description.includes(description)) &&
    (inUse === undefined || entry.inUse === inUse) &&
    (shared === undefined || entry.shared === shared) &&
    (isPrivate === undefined || entry.shared !== isPrivate);
}

/** `--filter shared` means the same as `shared=true`. */
function presence(filters: Filters, name: string): boolean | undefined {
  const values = filters.get(name);
  if (!values) return undefined;
  return values.length === 0 || values[0] === "" ? true : booleanFilter(filters, name);
}

/** What was last used before this time goes: nothing when the filters ask for labels. */
function usedBefore(filters: Filters): number {
  if (!labelsFit(filters, {})) return Number.NEGATIVE_INFINITY;
  const unusedFor = filters.get("unused-for");
  return unusedFor ? untilFilter(new Map([["until", unusedFor]])) : untilFilter(filters);
}
