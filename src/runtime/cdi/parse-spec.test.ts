import { describe, expect, test } from "bun:test";
import { parseCdiSpec } from "./parse-spec.ts";

/** A JSON spec of one device with these edits; `fields` win. */
function spec(edits: object, fields: object = {}): string {
  const device = { name: "d", containerEdits: edits };
  return JSON.stringify({ cdiVersion: "1.1.0", kind: "v.com/c", devices: [device], ...fields });
}

const ENV = { env: ["A=1"] };

describe("parseCdiSpec()", () => {
  test("reads YAML, octal modes of YAML 1.1 too, and JSON", () => {
    const yaml = [
      "cdiVersion: 0.6.0",
      "kind: v.com/c",
      "annotations: {a: b}",
      "containerEdits: {env: [S=1]}",
      "devices:",
      "- name: '0'",
      "  containerEdits:",
      "    deviceNodes:",
      "    - path: /dev/x",
      "      fileMode: 0640 # of the owner",
      "    - {path: /dev/y, fileMode: 416}",
    ].join("\n");
    const read = parseCdiSpec(yaml);
    expect(read.devices[0]?.containerEdits.deviceNodes).toEqual([
      { path: "/dev/x", fileMode: 0o640 },
      { path: "/dev/y", fileMode: 0o640 },
    ]);
    expect(read).toEqual(parseCdiSpec(JSON.stringify(read)));
  });

  test.each([
    ["", "cannot read the document"],
    ["a: {", "failed to unmarshal CDI Spec: "],
    [spec(ENV, { foo: 1 }), 'unknown field "foo"'],
    [spec({ ...ENV, mount: [] }), 'unknown field "mount"'],
    [spec(ENV, { cdiVersion: "2.0.0" }), 'invalid CDI Spec: invalid version "2.0.0"'],
    [spec(ENV, { kind: "v.com" }), "invalid CDI Spec: invalid vendor. empty name"],
    [spec(ENV, { devices: [] }), "invalid spec, no devices"],
    [spec({}), 'failed add device "d": invalid device, empty device edits'],
    [spec({ env: ["=x"] }), 'invalid container edits: invalid environment variable "=x"'],
    [spec({ deviceNodes: [{ path: "" }] }), "invalid (empty) device path"],
    [spec({ deviceNodes: [{ path: "/x", type: "z" }] }), 'device "/x": invalid type "z"'],
    [spec({ deviceNodes: [{ path: "/x", permissions: "rx" }] }), 'device "/x": invalid permissions "rx"'],
    [spec({ deviceNodes: [{ path: "/x", major: -1 }] }), 'device "/x": invalid (negative) device number -1:0'],
    [spec({ hooks: [{ hookName: "x", path: "/y" }] }), 'invalid hook name "x"'],
    [spec({ hooks: [{ hookName: "poststop", path: "y" }] }), 'path "y" is not absolute'],
    [spec({ mounts: [{ hostPath: "/x", containerPath: "" }] }), "invalid mount, empty container path"],
    [
      spec(ENV, {
        devices: [
          { name: "d", containerEdits: ENV },
          { name: "d", containerEdits: ENV },
        ],
      }),
      'invalid spec, multiple device "d"',
    ],
  ])("refuses %s", (source, message) => {
    expect(() => parseCdiSpec(source)).toThrow(message);
  });

  test.each([
    [{ netDevices: [{ hostInterfaceName: "a", name: "b" }] }, {}, "1.1.0"],
    [{ additionalGids: [5] }, {}, "0.7.0"],
    [ENV, { annotations: { a: "b" } }, "0.6.0"],
    [ENV, { kind: "v.com/c.d" }, "0.6.0"],
    [{ deviceNodes: [{ path: "/x", hostPath: "/y" }] }, {}, "0.5.0"],
    [{ mounts: [{ hostPath: "/x", containerPath: "/y", type: "bind" }] }, {}, "0.4.0"],
  ])("wants the version that has %o %o", (edits, fields, version) => {
    expect(() => parseCdiSpec(spec(edits, { ...fields, cdiVersion: "0.3.0" }))).toThrow(
      `the spec version must be at least v${version}`,
    );
    expect(parseCdiSpec(spec(edits, { ...fields, cdiVersion: version })).cdiVersion).toBe(version);
  });
});
