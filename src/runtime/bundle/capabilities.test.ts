import { expect, test } from "bun:test";
import { InvalidParameterError } from "#errors/errors.ts";
import { capabilityNames, capabilitySets, DEFAULT_CAPABILITIES, resolveCapabilities } from "./capabilities.ts";

const all = capabilityNames("1ffffffffff");
const resolve = (add: string[], drop: string[], privileged = false): readonly string[] =>
  resolveCapabilities({ privileged, add, drop }, all);

test("resolveCapabilities() gives Docker's fourteen by default", () => {
  expect(resolve([], []).toSorted()).toEqual(DEFAULT_CAPABILITIES.toSorted());
});

test("resolveCapabilities() takes names with and without CAP_ and in any case", () => {
  expect(resolve(["sys_time", "CAP_NET_ADMIN"], ["Chown"])).toContain("CAP_SYS_TIME");
  expect(resolve(["sys_time", "CAP_NET_ADMIN"], ["Chown"])).toContain("CAP_NET_ADMIN");
  expect(resolve([], ["Chown"])).not.toContain("CAP_CHOWN");
});

test("resolveCapabilities() knows ALL on both sides", () => {
  expect(resolve([], ["ALL"])).toEqual([]);
  expect(resolve(["NET_RAW"], ["all"])).toEqual(["CAP_NET_RAW"]);
  expect(resolve(["ALL"], ["MKNOD"])).toHaveLength(40);
  expect(resolve([], [], true)).toHaveLength(41);
});

test("resolveCapabilities() gives no more than the engine has with ALL and privileged", () => {
  const held = new Set([...all].filter((name) => name !== "CAP_SYS_RESOURCE"));
  expect(resolveCapabilities({ privileged: true, add: [], drop: [] }, held)).not.toContain("CAP_SYS_RESOURCE");
  expect(resolveCapabilities({ privileged: false, add: ["ALL"], drop: [] }, held)).not.toContain("CAP_SYS_RESOURCE");
});

test("resolveCapabilities() refuses an unknown name in Docker's words", () => {
  expect(() => resolve(["NOPE"], [])).toThrow(
    new InvalidParameterError('invalid CapAdd: unknown capability: "CAP_NOPE"'),
  );
});

test("capabilitySets() leaves a user other than root only what was added", () => {
  const sets = capabilitySets(resolve(["NET_ADMIN"], []), 1000, ["NET_ADMIN"]);
  expect(sets.effective).toEqual(["CAP_NET_ADMIN"]);
  expect(sets.ambient).toEqual(["CAP_NET_ADMIN"]);
  expect(capabilitySets(DEFAULT_CAPABILITIES, 0, []).ambient).toEqual([]);
});
