import { describe, expect, test } from "bun:test";
import { parseDeviceFlag } from "./device-flag.ts";

describe("parseDeviceFlag()", () => {
  test.each([
    ["v.com/c=n", { name: "v.com/c=n", required: false }],
    ["v.com/c", { name: "v.com/c", required: false }],
    ["v.com/c=n,required", { name: "v.com/c=n", required: true }],
    ["required=false,name=v.com/c=*", { name: "v.com/c=*", required: false }],
    ["v.com/c,REQUIRED=1", { name: "v.com/c", required: true }],
  ])("reads %s", (value, device) => {
    expect(parseDeviceFlag(value)).toEqual(device);
  });

  test.each([
    ["v.com/c,other", "invalid field 'other' must be a key=value pair"],
    ["v.com/c,requird=1", "unexpected key 'requird' in 'requird=1' (did you mean required?)"],
    ["v.com/c,required=maybe", "invalid value for required: maybe"],
    ["a,name=b", "device name already set to a"],
  ])("refuses %s in BuildKit's words", (value, message) => {
    expect(() => parseDeviceFlag(value)).toThrow(message);
  });
});
