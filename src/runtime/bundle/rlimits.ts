import { InvalidParameterError } from "#errors/errors.ts";
import type { RuntimeRlimit } from "#spec/oci-runtime.ts";

/** Berth's own limits, not the engine's by accident: many programs scan all possible descriptors, and core files leak memory. */
const DEFAULT_LIMITS: readonly RuntimeRlimit[] = [
  { type: "RLIMIT_CORE", soft: 0, hard: 0 },
  { type: "RLIMIT_NOFILE", soft: 1024, hard: 524_288 },
];

const NAMES: Readonly<Record<string, string>> = {
  core: "RLIMIT_CORE",
  cpu: "RLIMIT_CPU",
  data: "RLIMIT_DATA",
  fsize: "RLIMIT_FSIZE",
  locks: "RLIMIT_LOCKS",
  memlock: "RLIMIT_MEMLOCK",
  msgqueue: "RLIMIT_MSGQUEUE",
  nice: "RLIMIT_NICE",
  nofile: "RLIMIT_NOFILE",
  nproc: "RLIMIT_NPROC",
  rss: "RLIMIT_RSS",
  rtprio: "RLIMIT_RTPRIO",
  rttime: "RLIMIT_RTTIME",
  sigpending: "RLIMIT_SIGPENDING",
  stack: "RLIMIT_STACK",
};

/** The rows of /proc/PID/limits. */
const KERNEL_TITLES: Readonly<Record<string, string>> = {
  "Max cpu time": "RLIMIT_CPU",
  "Max file size": "RLIMIT_FSIZE",
  "Max data size": "RLIMIT_DATA",
  "Max stack size": "RLIMIT_STACK",
  "Max core file size": "RLIMIT_CORE",
  "Max resident set": "RLIMIT_RSS",
  "Max processes": "RLIMIT_NPROC",
  "Max open files": "RLIMIT_NOFILE",
  "Max locked memory": "RLIMIT_MEMLOCK",
  "Max file locks": "RLIMIT_LOCKS",
  "Max pending signals": "RLIMIT_SIGPENDING",
  "Max msgqueue size": "RLIMIT_MSGQUEUE",
  "Max nice priority": "RLIMIT_NICE",
  "Max realtime priority": "RLIMIT_RTPRIO",
  "Max realtime timeout": "RLIMIT_RTTIME",
};

export interface UlimitRequest {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/**
 * The limits of a container's process. `ceilings` are the engine's own hard limits when it may not raise them (no CAP_SYS_RESOURCE):
 * defaults are lowered to them; a client that asks for more gets InvalidParameterError.
 */
export function resolveRlimits(
  requests: readonly UlimitRequest[],
  ceilings: ReadonlyMap<string, number>,
): readonly RuntimeRlimit[] {
  const asked = requests.map((request) => checkedLimit(request, ceilings));
  const defaults = DEFAULT_LIMITS.filter(({ type }) => !asked.some((limit) => limit.type === type)).map((limit) => {
    const ceiling = ceilings.get(limit.type) ?? Number.POSITIVE_INFINITY;
    return { type: limit.type, soft: Math.min(limit.soft, ceiling), hard: Math.min(limit.hard, ceiling) };
  });
  return [...defaults, ...asked];
}

function checkedLimit(request: UlimitRequest, ceilings: ReadonlyMap<string, number>): RuntimeRlimit {
  const type = NAMES[request.name];
  if (!type) throw new InvalidParameterError(`invalid ulimit type: ${request.name}`);
  const soft = limitValue(request.soft);
  const hard = limitValue(request.hard);
  if (soft > hard) {
    throw new InvalidParameterError(
      `ulimit soft limit must be less than or equal to hard limit: ${request.soft} > ${request.hard}`,
    );
  }
  const ceiling = ceilings.get(type);
  if (ceiling !== undefined && hard > ceiling) {
    throw new InvalidParameterError(
      `cannot set ulimit "${request.name}=${request.soft}:${request.hard}": the engine's own hard limit is ${ceiling} ` +
        "and it lacks CAP_SYS_RESOURCE to raise it",
    );
  }
  return { type, soft, hard };
}

/** -1 is "unlimited". Its value in the kernel, 2^64 - 1, is not a double: `serialiseConfig` writes infinity as that number. */
function limitValue(value: number): number {
  return value < 0 ? Number.POSITIVE_INFINITY : value;
}

/** Hard limits from the text of /proc/PID/limits; unlimited ones are left out. */
export function parseHardLimits(text: string): ReadonlyMap<string, number> {
  const limits = new Map<string, number>();
  for (const line of text.split("\n")) {
    const match = /^(.{26})(\S+)\s+(\S+)/.exec(line);
    const type = KERNEL_TITLES[match?.[1]?.trim() ?? ""];
    const hard = Number(match?.[3]);
    if (type && Number.isFinite(hard)) limits.set(type, hard);
  }
  return limits;
}
