import { describe, expect, test } from "bun:test";
import { DockerfileError } from "../parse/dockerfile-error.ts";
import { csvFields, parseBytes } from "./mount-values.ts";
import { mountSpec, mountTypeOf, parseMounts } from "./mounts.ts";
import type { Mount, RunInstruction } from "./types.ts";

const VARIABLES = new Map([["dir", "/cache"]]);

function mountsOf(...texts: readonly string[]): readonly Mount[] {
  const run: RunInstruction = {
    kind: "run",
    text: "RUN",
    source: { startLine: 3, endLine: 3 },
    command: { form: "shell", line: "x" },
    heredocs: [],
    mounts: texts.map(mountSpec),
    network: "default",
    security: "sandbox",
    devices: [],
  };
  return parseMounts(run, VARIABLES, "\\");
}

describe("parseMounts()", () => {
  test("bind is the default type, and read-only", () => {
    expect(mountsOf("target=/t,source=s,from=build")).toEqual([
      { type: "bind", target: "/t", readOnly: true, from: "build", source: "s" },
    ]);
    expect(mountsOf("type=bind,dst=/t,rw")).toMatchObject([{ readOnly: false }]);
    expect(mountsOf("dst=/t,rw=false")).toMatchObject([{ readOnly: true }]);
    expect(mountsOf("dst=/t,ro,rw")).toMatchObject([{ readOnly: false }]);
  });

  test("cache is writable, shared, mode 0755, and its values are expanded", () => {
    expect(mountsOf("type=CACHE,target=$dir/x")).toEqual([
      {
        type: "cache",
        target: "/cache/x",
        readOnly: false,
        from: "",
        source: "",
        id: "",
        sharing: "shared",
        mode: 0o755,
        uid: 0,
        gid: 0,
      },
    ]);
    expect(mountsOf("type=cache,target=/t,id=i,sharing=locked,mode=0700,uid=1,gid=2")).toMatchObject([
      { id: "i", sharing: "locked", mode: 0o700, uid: 1, gid: 2 },
    ]);
  });

  test("tmpfs, secret and ssh", () => {
    expect(mountsOf("type=tmpfs,target=/t,size=64m")).toEqual([
      { type: "tmpfs", target: "/t", readOnly: false, size: 64 * 1024 * 1024 },
    ]);
    expect(mountsOf("type=secret,source=s,required,env=S")).toMatchObject([
      { type: "secret", id: "s", required: true, env: "S", mode: 0o400 },
    ]);
    expect(mountsOf("type=ssh,required=0")).toMatchObject([{ type: "ssh", required: false, mode: 0o600 }]);
  });

  test.each([
    ["type=bnd", 'unsupported mount type "bnd" (did you mean bind?)'],
    ["tagret=/x", "unexpected key 'tagret' in 'tagret=/x' (did you mean target?)"],
    ["target", "invalid field 'target' must be a key=value pair"],
    ["required", "unexpected key 'required' for mount type 'bind'"],
    ["size=1", "unexpected key 'size' for mount type 'bind'"],
    ["type=cache,sharing=lokced", 'unsupported sharing value "lokced" (did you mean locked?)'],
    ["sharing=locked", "invalid cache sharing set for bind mount"],
    ["mode=0755", 'mode not allowed for "bind" type mounts'],
    ["type=cache,mode=9", "invalid value 9 for mode"],
    ["type=cache,uid=-1", "invalid value -1 for uid"],
    ["ro=maybe", "invalid value for readonly: maybe"],
    ["type=tmpfs,size=big", "invalid value for size: big"],
    ["type=secret", "invalid secret mount. one of source, target required"],
    ["type=secret,id=a,source=b", "both source and id can't be set"],
    ["type=secret,id=a,from=b", "secret mount should not have a from"],
  ])("%s fails", (text, message) => {
    expect(() => mountsOf(text)).toThrow(message);
    expect(() => mountsOf(text)).toThrow(DockerfileError);
  });
});

test("mountSpec() and mountTypeOf() see what decides the graph without expanding", () => {
  expect(mountSpec("type=cache,FROM=base")).toMatchObject({ from: "base" });
  expect(mountTypeOf(mountSpec("target=/x,type=Secret"))).toBe("secret");
  expect(mountTypeOf(mountSpec("target=/x"))).toBe("bind");
});

test("csvFields() reads quoted fields", () => {
  expect(csvFields('a,"b,""c""",,d')).toEqual(["a", 'b,"c"', "", "d"]);
  expect(() => csvFields('a"b')).toThrow("bad quotes");
  expect(() => csvFields('"a')).toThrow("bad quotes");
});

test("parseBytes() knows Docker's units", () => {
  expect(["10", "1k", "1KB", "1KiB", "1.5g"].map((text) => parseBytes("size", text))).toEqual([
    10, 1024, 1024, 1024, 1610612736,
  ]);
});
