import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InvalidParameterError } from "#errors/errors.ts";
import { parseFlags } from "../grammar/parse-flags.ts";
import { DEVICE_FLAGS, parseDevices } from "./device-flags.ts";
import { parseGpus } from "./gpus.ts";

describe("DEVICE_FLAGS", () => {
  test("read weights, rates in bytes and rates of operations", () => {
    const { flags } = parseFlags(DEVICE_FLAGS, [
      "--blkio-weight-device=/dev/sda:200",
      "--device-read-bps=/dev/sda:1mb",
      "--device-write-iops=/dev/sda:100",
      "--device-write-iops=/dev/sdb:5",
    ]);
    expect(flags["blkio-weight-device"]).toEqual([{ Path: "/dev/sda", Weight: 200 }]);
    expect(flags["device-read-bps"]).toEqual([{ Path: "/dev/sda", Rate: 1024 * 1024 }]);
    expect(flags["device-write-iops"]).toEqual([
      { Path: "/dev/sda", Rate: 100 },
      { Path: "/dev/sdb", Rate: 5 },
    ]);
  });

  test.each([
    ["--blkio-weight-device=x", "bad format: x"],
    ["--blkio-weight-device=/x:5", "bad format for device path: /x:5"],
    ["--blkio-weight-device=/dev/x:5", "invalid weight for device: /dev/x:5"],
    ["--device-read-bps=/dev/x:-1", "invalid rate for device: /dev/x:-1. The correct format is"],
    ["--device-read-iops=/dev/x:z", "Number must be a positive integer"],
    ["--device-cgroup-rule=x", "invalid device cgroup format 'x'"],
  ])("refuse %s", (word, message) => {
    expect(() => parseFlags(DEVICE_FLAGS, [word])).toThrow(message);
  });
});

describe("parseDevices()", () => {
  test("tells paths, modes and names of CDI apart", () => {
    const { devices, requests } = parseDevices([
      "/dev/a",
      "/dev/a:r",
      "/dev/a:/dev/b",
      "/dev/a:/dev/b:rm",
      "v.com/c=n",
    ]);
    expect(devices.map((device) => Object.values(device).join(" "))).toEqual([
      "/dev/a /dev/a rwm",
      "/dev/a /dev/a r",
      "/dev/a /dev/b rwm",
      "/dev/a /dev/b rm",
    ]);
    expect(requests).toEqual([
      { Driver: "cdi", Count: 0, DeviceIDs: ["v.com/c=n"], Capabilities: null, Options: null },
    ]);
  });

  test.each([
    ["a:b:c:d", "bad format for path: a:b:c:d"],
    [":b", "bad format for path: :b"],
    ["/dev/x:y", "y is not an absolute path"],
    ["/dev/x:/y:rr", "bad mode specified: rr"],
  ])("refuses %s", (text, message) => {
    expect(() => parseDevices([text])).toThrow(message);
  });
});

describe("parseGpus()", () => {
  test("reads a count, all, and fields", () => {
    expect(parseGpus("all")).toMatchObject({ Count: -1, Capabilities: [["gpu"]], DeviceIDs: null, Options: {} });
    expect(parseGpus("2")).toMatchObject({ Count: 2 });
    expect(parseGpus('driver=x,"device=0,1",capabilities=utility,options=a=b')).toEqual({
      Driver: "x",
      Count: 0,
      DeviceIDs: ["0", "1"],
      Capabilities: [["utility", "gpu"]],
      Options: { a: "b" },
    });
  });

  test.each([
    ["foo", 'invalid count (foo): value must be either "all" or an integer: invalid syntax'],
    ["driver=x,driver=y", "gpu request key 'driver' can be specified only once"],
    ["bad=1", "unexpected key 'bad' in 'bad=1'"],
  ])("refuses %s", (text, message) => {
    expect(() => parseGpus(text)).toThrow(message);
  });

  test("throws nothing but InvalidParameterError", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseGpus(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidParameterError);
        }
      }),
    );
  });
});
