import { describe, expect, test } from "bun:test";
import { ConflictError } from "#errors/errors.ts";
import type { HostConfig } from "#spec/docker-containers.ts";
import type { UpdateRequest } from "#spec/docker-update.ts";
import { updatedHostConfig } from "./update.ts";

const MIB = 2 ** 20;

describe("updatedHostConfig()", () => {
  test("changes what is named and leaves the rest", () => {
    const current: HostConfig = { Memory: 64 * MIB, CpuShares: 10, PidsLimit: 5, RestartPolicy: { Name: "no" } };
    const change: UpdateRequest = {
      Memory: 100 * MIB,
      CpuShares: 0,
      CpusetCpus: "",
      PidsLimit: -1,
      RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
    };
    expect(updatedHostConfig(current, change)).toEqual({
      Memory: 100 * MIB,
      CpuShares: 10,
      PidsLimit: 0,
      RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
    });
    expect(updatedHostConfig(current, { RestartPolicy: { Name: "" } })).toEqual(current);
    expect(updatedHostConfig({ AutoRemove: true }, { RestartPolicy: { Name: "no" } }).RestartPolicy?.Name).toBe("no");
  });

  test.each<[HostConfig, UpdateRequest, string]>([
    [{ Memory: 64 * MIB }, { Memory: 200 * MIB }, "Memory limit should be smaller than already set memoryswap limit"],
    [{}, { Memory: 64 * MIB }, "update the memoryswap at the same time"],
    [{ AutoRemove: true }, { RestartPolicy: { Name: "always" } }, "because AutoRemove is enabled for the container"],
    [{ CpuPeriod: 1 }, { NanoCpus: 1 }, "Nano CPUs cannot be updated as CPU Period has already been set"],
    [{ CpuQuota: 1 }, { NanoCpus: 1 }, "Nano CPUs cannot be updated as CPU Quota has already been set"],
    [{ NanoCpus: 1 }, { CpuPeriod: 1 }, "CPU Period cannot be updated as NanoCPUs has already been set"],
    [{ NanoCpus: 1 }, { CpuQuota: 1 }, "CPU Quota cannot be updated as NanoCPUs has already been set"],
  ])("of %j refuses %j in Docker's words", (current, change, message) => {
    expect(() => updatedHostConfig(current, change)).toThrow(message);
    expect(() => updatedHostConfig(current, change)).toThrow(ConflictError);
  });
});
