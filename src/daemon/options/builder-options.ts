import type { Entitlement } from "#build/build-client.ts";
import type { CachePolicy } from "#engine/builds/cache-budget.ts";
import type { CachePruneOptions } from "#engine/builds/cache-prune.ts";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { parseBinarySize } from "#formats/go-units.ts";
import { type Decoder, flag, list, object, text } from "#lib/json-decoder.ts";

/** daemon.json's `builder.gc` as it is written. https://docs.docker.com/build/cache/garbage-collection/ */
interface GcConfig {
  readonly enabled: boolean;
  readonly defaultReservedSpace: string;
  readonly defaultMaxUsedSpace: string;
  readonly defaultMinFreeSpace: string;
  /** What `defaultReservedSpace` was called before Docker 28. */
  readonly defaultKeepStorage: string;
  readonly policy: readonly PolicyConfig[];
}

interface PolicyConfig {
  readonly all: boolean;
  /** `name=value`. */
  readonly filter: readonly string[];
  readonly keepDuration: string;
  readonly reservedSpace: string;
  readonly maxUsedSpace: string;
  readonly minFreeSpace: string;
  readonly keepStorage: string;
}

const decodePolicy: Decoder<PolicyConfig> = object<PolicyConfig>(
  {
    all: flag,
    filter: list(text),
    keepDuration: text,
    reservedSpace: text,
    maxUsedSpace: text,
    minFreeSpace: text,
    keepStorage: text,
  },
  { all: false, filter: [], keepDuration: "", reservedSpace: "", maxUsedSpace: "", minFreeSpace: "", keepStorage: "" },
);

const decodeGc: Decoder<GcConfig> = object<GcConfig>(
  {
    enabled: flag,
    defaultReservedSpace: text,
    defaultMaxUsedSpace: text,
    defaultMinFreeSpace: text,
    defaultKeepStorage: text,
    policy: list(decodePolicy),
  },
  {
    enabled: true,
    defaultReservedSpace: "",
    defaultMaxUsedSpace: "",
    defaultMinFreeSpace: "",
    defaultKeepStorage: "",
    policy: [],
  },
);

/** daemon.json's `builder.entitlements`: what builds may ask for at all. */
interface EntitlementsConfig {
  readonly "network-host": boolean;
  readonly "security-insecure": boolean;
}

const decodeEntitlements = object<EntitlementsConfig>(
  { "network-host": flag, "security-insecure": flag },
  { "network-host": true, "security-insecure": false },
);

const decodeBuilder = object<{ readonly gc: GcConfig; readonly entitlements: EntitlementsConfig }>(
  { gc: decodeGc, entitlements: decodeEntitlements },
  { gc: decodeGc({}, ""), entitlements: decodeEntitlements({}, "") },
);

/**
 * What `--allow` can grant, by daemon.json's `builder`. As dockerd: the host's network unless it is turned off, a step without confinement only
 * where that is turned on. Throws InvalidParameterError that names the key.
 */
export function allowedEntitlements(builder: unknown): readonly Entitlement[] {
  const { entitlements } = decodeBuilder(builder ?? {}, "builder");
  return [
    ...(entitlements["network-host"] ? (["network.host"] as const) : []),
    ...(entitlements["security-insecure"] ? (["security.insecure"] as const) : []),
    "device",
  ];
}

/** Shares of the disk: what BuildKit does without configuration. */
const DEFAULT_RESERVED = "10%";
const DEFAULT_MAX_USED = "80%";
const DEFAULT_MIN_FREE = "20%";
/** Contexts and cache mounts are cheap to have again: BuildKit's first rule. */
const EPHEMERAL_AGE = "48h";
const EPHEMERAL_SPACE = "512MB";
const OLD_AGE = "1440h";

/**
 * What the build cache may cost, by daemon.json's `builder` (undefined: none given), on a disk of `diskSize` bytes. Throws
 * InvalidParameterError that names the key.
 */
export function cachePolicy(builder: unknown, diskSize: number): CachePolicy {
  const { gc } = decodeBuilder(builder ?? {}, "builder");
  if (!gc.enabled) return [];
  const policies = gc.policy.length > 0 ? gc.policy : defaultPolicies(gc);
  return policies.map((policy) => pruneOf(policy, diskSize));
}

function defaultPolicies(gc: GcConfig): readonly PolicyConfig[] {
  const none = decodePolicy({}, "");
  const space = {
    reservedSpace: gc.defaultReservedSpace || gc.defaultKeepStorage || DEFAULT_RESERVED,
    maxUsedSpace: gc.defaultMaxUsedSpace || DEFAULT_MAX_USED,
    minFreeSpace: gc.defaultMinFreeSpace || DEFAULT_MIN_FREE,
  };
  const ephemeral = ["source.local", "exec.cachemount"].map((type) => {
    return { ...none, filter: [`type=${type}`], keepDuration: EPHEMERAL_AGE, maxUsedSpace: EPHEMERAL_SPACE };
  });
  return [
    ...ephemeral,
    { ...none, ...space, keepDuration: OLD_AGE },
    { ...none, ...space },
    { ...none, ...space, all: true },
  ];
}

function pruneOf(policy: PolicyConfig, diskSize: number): CachePruneOptions {
  const filters = new Map<string, string[]>();
  for (const filter of policy.filter) {
    const equals = filter.indexOf("=");
    const [name, value] = equals < 0 ? [filter, ""] : [filter.slice(0, equals), filter.slice(equals + 1)];
    filters.set(name, [...(filters.get(name) ?? []), value]);
  }
  if (policy.keepDuration !== "") filters.set("unused-for", [policy.keepDuration]);
  return {
    all: policy.all,
    filters,
    reservedSpace: sizeOf(policy.reservedSpace || policy.keepStorage, diskSize),
    maxUsedSpace: sizeOf(policy.maxUsedSpace, diskSize),
    minFreeSpace: sizeOf(policy.minFreeSpace, diskSize),
  };
}

/** `20GB`, or `10%` of the disk; 0 for "". */
function sizeOf(value: string, diskSize: number): number {
  if (value === "") return 0;
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(value)?.[1];
  if (percent !== undefined) return Math.floor((diskSize * Number(percent)) / 100);
  try {
    return parseBinarySize(value);
  } catch (cause) {
    throw new InvalidParameterError(`invalid size "${value}" in builder.gc: ${errorMessage(cause)}`, { cause });
  }
}
