import { describe, expect, test } from "bun:test";
import { allowedEntitlements, cachePolicy } from "./builder-options.ts";

const GIB = 1024 ** 3;

describe("cachePolicy()", () => {
  test("without configuration: contexts for two days, old steps, then all by shares of the disk", () => {
    const policy = cachePolicy(undefined, 100);
    expect(policy.map(({ all, filters }) => [all, Object.fromEntries(filters)])).toEqual([
      [false, { type: ["source.local"], "unused-for": ["48h"] }],
      [false, { type: ["exec.cachemount"], "unused-for": ["48h"] }],
      [false, { "unused-for": ["1440h"] }],
      [false, {}],
      [true, {}],
    ]);
    expect(policy[4]).toMatchObject({ reservedSpace: 10, maxUsedSpace: 80, minFreeSpace: 20 });
  });

  test("reads builder.gc as dockerd's daemon.json has it", () => {
    expect(cachePolicy({ gc: { enabled: false } }, 100)).toEqual([]);
    expect(cachePolicy({ gc: { defaultKeepStorage: "20GB" } }, 100)[3]).toMatchObject({ reservedSpace: 20 * GIB });
    const policy = [
      { keepStorage: "10GB", filter: ["unused-for=2200h"] },
      { all: true, maxUsedSpace: "50%" },
    ];
    expect(cachePolicy({ gc: { policy } }, 200)).toEqual([
      {
        all: false,
        filters: new Map([["unused-for", ["2200h"]]]),
        reservedSpace: 10 * GIB,
        maxUsedSpace: 0,
        minFreeSpace: 0,
      },
      { all: true, filters: new Map(), reservedSpace: 0, maxUsedSpace: 100, minFreeSpace: 0 },
    ]);
  });

  test("names what it cannot read", () => {
    expect(() => cachePolicy({ gc: { enabled: "yes" } }, 1)).toThrow("builder.gc.enabled");
    expect(() => cachePolicy({ gc: { defaultMaxUsedSpace: "much" } }, 1)).toThrow('invalid size "much"');
  });
});

test("allowedEntitlements() gives the host's network, and steps without confinement only where daemon.json says so", () => {
  expect(allowedEntitlements(undefined)).toEqual(["network.host", "device"]);
  const entitlements = { "network-host": false, "security-insecure": true };
  expect(allowedEntitlements({ entitlements })).toEqual(["security.insecure", "device"]);
  expect(() => allowedEntitlements({ entitlements: { "network-host": "yes" } })).toThrow("network-host");
});
