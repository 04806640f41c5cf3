import { describe, expect, test } from "bun:test";
import type { DeviceRequest } from "#spec/docker-resources.ts";
import { requestedDevices } from "./requested-devices.ts";

const NONE: DeviceRequest = { Driver: "", Count: 0, DeviceIDs: null, Capabilities: null, Options: null };

function lookup(...names: string[]): Parameters<typeof requestedDevices>[1] {
  return {
    directories: ["/etc/cdi"],
    problems: () => [],
    list: () => names.map((name) => ({ name, annotations: {} })),
  };
}

describe("requestedDevices()", () => {
  const gpu = { ...NONE, Capabilities: [["gpu"]] };

  test("names CDI devices as they are, each once", () => {
    const request = { ...NONE, Driver: "cdi", DeviceIDs: ["v.com/c=a", "v.com/c=b", "v.com/c=a"] };
    expect(requestedDevices([request, request], lookup())).toEqual(["v.com/c=a", "v.com/c=b"]);
  });

  test.each([
    [{ Count: -1 }, ["nvidia.com/gpu=all"]],
    [{ Count: 2 }, ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]],
    [{ DeviceIDs: ["1", "x.com/y=z"] }, ["nvidia.com/gpu=1", "x.com/y=z"]],
    [{ Count: 1, Capabilities: [["amd"], ["gpu", "utility"]] }, ["nvidia.com/gpu=0"]],
    [{ Driver: "nvidia", Count: 1 }, ["nvidia.com/gpu=0"]],
  ])("makes GPUs of %o", (fields, names) => {
    expect(requestedDevices([{ ...gpu, ...fields }], lookup("nvidia.com/gpu=0"))).toEqual(names);
  });

  test.each([
    [gpu, lookup("other.com/gpu=0"), 'could not select device driver "" with capabilities: [[gpu]]'],
    [
      { ...gpu, Capabilities: [["gpu", "tpu"]] },
      lookup("nvidia.com/gpu=0"),
      'could not select device driver "" with capabilities: [[gpu tpu]]',
    ],
    [{ ...gpu, Driver: "x" }, lookup("nvidia.com/gpu=0"), 'could not select device driver "x" with'],
    [
      { ...NONE, Driver: "cdi" },
      { ...lookup(), directories: [] },
      'could not select device driver "cdi" with capabilities: []',
    ],
    [{ ...NONE, Driver: "cdi", Count: 1 }, lookup(), "unexpected count in CDI device request"],
    [{ ...NONE, Driver: "cdi", Options: { a: "b" } }, lookup(), "unexpected options in CDI device request"],
    [{ ...gpu, Count: 1, DeviceIDs: ["0"] }, lookup("nvidia.com/gpu=0"), "cannot set both Count and DeviceIDs"],
  ])("refuses %o", (request, known, message) => {
    expect(() => requestedDevices([request], known)).toThrow(message);
  });
});
