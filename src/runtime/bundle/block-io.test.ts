import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { InvalidParameterError } from "#errors/errors.ts";
import { resolveBlockIo } from "./block-io.ts";
import { parseDeviceCgroupRule } from "./devices.ts";

const NOTHING = { weight: 0, weightDevices: [], readBps: [], writeBps: [], readIops: [], writeIops: [] };
const disk = readdirSync("/sys/block")
  .map((name) => `/dev/${name}`)
  .find((path) => existsSync(path));

describe("resolveBlockIo()", () => {
  test("leaves out what nobody asked for", () => {
    expect(resolveBlockIo(NOTHING)).toBeUndefined();
    expect(resolveBlockIo({ ...NOTHING, weight: 300 })).toEqual({ weight: 300 });
  });

  test.skipIf(disk === undefined)("names devices by their numbers", () => {
    const path = disk ?? "";
    expect(resolveBlockIo({ ...NOTHING, writeIops: [{ path, rate: 5 }] })).toEqual({
      throttleWriteIOPSDevice: [{ major: expect.any(Number), minor: expect.any(Number), rate: 5 }],
    });
  });

  test.each([
    ["/dev/nope", "stat /dev/nope: no such file or directory"],
    ["/dev/null", 'cannot limit the device "/dev/null": it is not a block device'],
  ])("refuses %s", (path, message) => {
    expect(() => resolveBlockIo({ ...NOTHING, readBps: [{ path, rate: 1 }] })).toThrow(message);
  });
});

describe("parseDeviceCgroupRule()", () => {
  test("reads numbers and stars", () => {
    expect(parseDeviceCgroupRule("c 42:* rmw")).toEqual({ allow: true, type: "c", major: 42, access: "rmw" });
    expect(parseDeviceCgroupRule("a *:* r")).toEqual({ allow: true, type: "a", access: "r" });
    expect(() => parseDeviceCgroupRule("c 42 rwm")).toThrow(InvalidParameterError);
  });
});
