import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InvalidParameterError } from "#errors/errors.ts";
import { parseVolume } from "./parse-volume.ts";

describe("parseVolume()", () => {
  test.each([
    ["/data", { kind: "volume", name: "", destination: "/data", readonly: false, noCopy: false, mode: "" }],
    ["vol:/data", { kind: "volume", name: "vol", destination: "/data", readonly: false, noCopy: false, mode: "" }],
    [
      "vol:/data:ro,nocopy",
      { kind: "volume", name: "vol", destination: "/data", readonly: true, noCopy: true, mode: "ro,nocopy" },
    ],
    [
      "/host/:/data/../x/",
      { kind: "bind", source: "/host", destination: "/x", readonly: false, propagation: "", mode: "" },
    ],
    [
      "/host:/data:Z,rslave,ro",
      {
        kind: "bind",
        source: "/host",
        destination: "/data",
        readonly: true,
        propagation: "rslave",
        mode: "Z,rslave,ro",
      },
    ],
    ["/:/host", { kind: "bind", source: "/", destination: "/host", readonly: false, propagation: "", mode: "" }],
  ] as const)("reads %p", (text, expected) => {
    expect(parseVolume(text)).toEqual(expected);
  });

  test.each([
    ["", "invalid volume specification: ''"],
    [":/x", "invalid volume specification: ':/x'"],
    ["/x:", "invalid volume specification: '/x:'"],
    ["/x:ro", "invalid volume specification: '/x:ro'"],
    ["a:b:c:d", "invalid volume specification: 'a:b:c:d'"],
    [
      "vol:data",
      `invalid volume specification: 'vol:data': invalid mount config for type "volume": invalid mount path: 'data' mount path must be absolute`,
    ],
    ["/src:data", "invalid mount path: 'data' mount path must be absolute"],
    ["vol:/", "invalid specification: destination can't be '/'"],
    ["vol:/x/..", "invalid specification: destination can't be '/'"],
    ["vol:/x:rw,ro", "invalid mode: rw,ro"],
    ["vol:/x:fast", "invalid mode: fast"],
    ["vol:/x:rshared", 'invalid mount config for type "volume": field BindOptions must not be specified'],
    ["/host:/x:nocopy", "invalid mode: nocopy"],
    [
      "./rel:/x",
      'create ./rel: "./rel" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
    ],
    ["v:/x", "create v: volume name is too short, names should be at least two alphanumeric characters"],
  ])("refuses %p with Docker's words", (text, message) => {
    expect(() => parseVolume(text)).toThrow(InvalidParameterError);
    expect(() => parseVolume(text)).toThrow(message);
  });

  test("gives an absolute clean destination below the root, or refuses", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a./:ro]{0,16}$/)), (text) => {
        let spec: ReturnType<typeof parseVolume>;
        try {
          spec = parseVolume(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidParameterError);
          return;
        }
        expect(spec.destination).toMatch(/^\/[^/]/);
        expect(spec.destination.split("/")).not.toContain("..");
      }),
    );
  });
});
