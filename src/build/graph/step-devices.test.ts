import { describe, expect, test } from "bun:test";
import type { Entitlement } from "../build-client.ts";
import { type BuildDevices, stepDevices } from "./step-devices.ts";

const CLASS = "org.mobyproject.buildkit.device.class";
const AUTO = "org.mobyproject.buildkit.device.autoallow";

const HOST: BuildDevices = {
  list: () => [
    { name: "auto.com/d=a", annotations: { [AUTO]: "true" } },
    { name: "v.com/d=one", annotations: { [CLASS]: "odd" } },
    { name: "v.com/d=three", annotations: { [CLASS]: "odd" } },
    { name: "v.com/d=two", annotations: {} },
  ],
  mountTargets: () => [],
};

function resolve(name: string, required: boolean, ...entitlements: Entitlement[]): ReturnType<typeof stepDevices> {
  return stepDevices([{ name, required }], entitlements, HOST);
}

describe("stepDevices()", () => {
  test("finds a device by name, the first of a kind, all of one, those of a class", () => {
    expect(resolve("v.com/d=two", true, "device").granted).toEqual(["v.com/d=two"]);
    expect(resolve("v.com/d", true, "device").granted).toEqual(["v.com/d=one"]);
    expect(resolve("v.com/d=*", true, "device").granted).toEqual(["v.com/d=one", "v.com/d=three", "v.com/d=two"]);
    expect(resolve("v.com/d=odd", true, "device").granted).toEqual(["v.com/d=one", "v.com/d=three"]);
  });

  test("leaves out one that is not here, unless it is required", () => {
    expect(resolve("v.com/d=zz", false)).toEqual({ granted: [], missing: ["v.com/d=zz"] });
    expect(() => resolve("v.com/d=zz", true, "device")).toThrow('required device "v.com/d=zz" is not registered');
    expect(() => resolve("zz", false)).toThrow('invalid device "zz"');
    expect(() => resolve("1/d=x", false)).toThrow(
      'invalid device "1/d=x": invalid vendor. "1", should start with letter',
    );
  });

  test("needs a grant, by name or by alias, unless the host's file gives it", () => {
    expect(resolve("auto.com/d=a", true).granted).toEqual(["auto.com/d=a"]);
    expect(resolve("v.com/d=two", true, "device=v.com/d=two").granted).toEqual(["v.com/d=two"]);
    expect(resolve("v.com/d=two", true, "device=v.com/d=*").granted).toEqual(["v.com/d=two"]);
    expect(resolve("x.com/y=z", true, "device=v.com/d=two,alias=x.com/y=z").granted).toEqual(["v.com/d=two"]);
    expect(() => resolve("v.com/d=two", false)).toThrow("device v.com/d=two is requested by the build but not allowed");
    expect(() => resolve("v.com/d=odd", false, "device=v.com/d=two")).toThrow(
      "devices v.com/d=one, v.com/d=three are requested by the build but not allowed",
    );
    expect(() => resolve("v.com/d=two", false, "device=v.com/d=two,x=y")).toThrow('unknown device config key "x"');
  });
});
