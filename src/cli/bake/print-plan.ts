import type { BakePlan } from "./resolve-targets.ts";

/** What `--print` tells, as buildx and Go write it: maps by name, no HTML in texts. */
export function printedPlan({ groups, targets }: BakePlan): string {
  const plan = {
    ...(groups.size > 0
      ? { group: sorted(new Map([...groups].map(([name, members]) => [name, { targets: members }] as const))) }
      : {}),
    target: sorted(new Map([...targets].map(([name, fields]) => [name, withSortedMaps(fields)] as const))),
  };
  const text = JSON.stringify(plan, null, 2);
  return `${text.replaceAll(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
}

const ORDER = [
  "annotations",
  "attest",
  "context",
  "contexts",
  "dockerfile",
  "dockerfile-inline",
  "args",
  "labels",
  "tags",
  "cache-from",
  "cache-to",
  "target",
  "secret",
  "ssh",
  "platforms",
  "output",
  "pull",
  "no-cache",
  "network",
  "no-cache-filter",
  "shm-size",
  "ulimits",
  "extra-hosts",
  "entitlements",
];

function withSortedMaps(fields: object): Record<string, unknown> {
  const given = new Map(Object.entries(fields));
  return Object.fromEntries(
    ORDER.flatMap((name) => {
      const value: unknown = given.get(name);
      if (value === undefined) return [];
      const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
      return [[name, isMap ? sorted(new Map(Object.entries(value))) : value]];
    }),
  );
}

function sorted(map: ReadonlyMap<string, unknown>): Record<string, unknown> {
  return Object.fromEntries([...map].sort(([one], [other]) => (one < other ? -1 : 1)));
}
