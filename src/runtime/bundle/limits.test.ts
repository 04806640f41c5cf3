import { expect, test } from "bun:test";
import { serialiseConfig } from "./oci-spec.ts";
import { resolveResources } from "./resources.ts";
import { parseHardLimits, resolveRlimits } from "./rlimits.ts";

const none = new Map<string, number>();

test("resolveRlimits() gives Berth's defaults, lowered to what the engine may give", () => {
  expect(resolveRlimits([], none)).toEqual([
    { type: "RLIMIT_CORE", soft: 0, hard: 0 },
    { type: "RLIMIT_NOFILE", soft: 1024, hard: 524_288 },
  ]);
  expect(resolveRlimits([], new Map([["RLIMIT_NOFILE", 512]]))[1]).toEqual({
    type: "RLIMIT_NOFILE",
    soft: 512,
    hard: 512,
  });
});

test("resolveRlimits() refuses what the engine cannot give, unknown names and soft above hard", () => {
  const ceilings = new Map([["RLIMIT_NOFILE", 1000]]);
  expect(() => resolveRlimits([{ name: "nofile", soft: 10, hard: 2000 }], ceilings)).toThrow("lacks CAP_SYS_RESOURCE");
  expect(() => resolveRlimits([{ name: "x", soft: 1, hard: 1 }], none)).toThrow("invalid ulimit type: x");
  expect(() => resolveRlimits([{ name: "cpu", soft: 2, hard: 1 }], none)).toThrow("ulimit soft limit must be less");
});

test("resolveRlimits() and serialiseConfig() write -1 as the kernel's infinity", () => {
  const rlimits = resolveRlimits([{ name: "memlock", soft: -1, hard: -1 }], none);
  const process = { rlimits } as unknown as Parameters<typeof serialiseConfig>[0];
  expect(serialiseConfig(process)).toContain('"soft":18446744073709551615,"hard":18446744073709551615');
});

test("parseHardLimits() reads /proc/PID/limits", () => {
  const text = [
    "Limit                     Soft Limit           Hard Limit           Units     ",
    "Max core file size        0                    unlimited            bytes     ",
    "Max open files            1024                 20000                files     ",
  ].join("\n");
  expect([...parseHardLimits(text)]).toEqual([["RLIMIT_NOFILE", 20_000]]);
});

test("resolveResources() limits pids unless told otherwise, and doubles memory for swap as Docker", () => {
  expect(resolveResources({}, [], true)).toEqual({ devices: [], pids: { limit: 4096 } });
  expect(resolveResources({ pidsLimit: -1 }, [], true)).toEqual({ devices: [] });
  expect(resolveResources({ memory: 100 }, [], true).memory).toEqual({ limit: 100, swap: 200 });
  expect(resolveResources({ memory: 100, memorySwap: -1 }, [], true).memory).toEqual({ limit: 100, swap: -1 });
  expect(resolveResources({ memory: 100 }, [], false).memory).toEqual({ limit: 100 });
  expect(resolveResources({ nanoCpus: 1.5e9, cpusetCpus: "0" }, [], true).cpu).toEqual({
    quota: 150_000,
    period: 100_000,
    cpus: "0",
  });
  expect(resolveResources({ cpuQuota: 50_000, cpusetMems: "0" }, [], true).cpu).toEqual({ quota: 50_000, mems: "0" });
});
