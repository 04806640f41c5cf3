import { describe, expect, test } from "bun:test";
import type { RuntimeConfig } from "#spec/oci-runtime.ts";
import { applyEdits } from "./apply-edits.ts";

const CONFIG: RuntimeConfig = {
  ociVersion: "1.0.2",
  process: {
    terminal: false,
    user: { uid: 0, gid: 0, additionalGids: [4] },
    args: ["true"],
    env: ["PATH=/bin", "A=image"],
    cwd: "/",
    capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
    noNewPrivileges: false,
  },
  root: { path: "/r", readonly: false },
  mounts: [
    { destination: "/proc", type: "proc", source: "proc", options: [] },
    { destination: "/a/b/c", type: "bind", source: "/x", options: [] },
  ],
  linux: { namespaces: [], cgroupsPath: "/c", resources: { devices: [{ allow: false, access: "rwm" }] } },
};

describe("applyEdits()", () => {
  test("replaces variables and mounts, adds groups and hooks", () => {
    const edited = applyEdits(CONFIG, {
      env: ["A=cdi", "B=cdi"],
      additionalGids: [0, 4, 7],
      mounts: [
        { hostPath: "/h1", containerPath: "/a/b/c", options: ["ro", "bind"] },
        { hostPath: "/h2", containerPath: "/a", options: ["bind"] },
      ],
      hooks: [
        { hookName: "poststop", path: "/h", args: ["h", "1"], timeout: 3 },
        { hookName: "poststop", path: "/i", env: ["X=1"] },
      ],
    });
    expect(edited.process.env).toEqual(["PATH=/bin", "A=cdi", "B=cdi"]);
    expect(edited.process.user.additionalGids).toEqual([4, 7]);
    expect(edited.mounts.map(({ destination, source }) => [destination, source])).toEqual([
      ["/proc", "proc"],
      ["/a", "/h2"],
      ["/a/b/c", "/h1"],
    ]);
    expect(edited.hooks).toEqual({
      poststop: [
        { path: "/h", args: ["h", "1"], timeout: 3 },
        { path: "/i", env: ["X=1"] },
      ],
    });
  });

  test("takes from the host what a device node leaves open", () => {
    const { linux } = applyEdits(CONFIG, {
      deviceNodes: [
        { path: "/dev/x", hostPath: "/dev/zero", permissions: "r", fileMode: 0o600, uid: 1, gid: 2 },
        { path: "/dev/none", type: "c", major: 7, minor: 8, permissions: "none" },
        { path: "/dev/pipe", type: "p" },
      ],
    });
    expect(linux.devices).toEqual([
      { path: "/dev/x", type: "c", major: 1, minor: 5, fileMode: 0o600, uid: 1, gid: 2 },
      { path: "/dev/none", type: "c", major: 7, minor: 8 },
      { path: "/dev/pipe", type: "p", major: 0, minor: 0 },
    ]);
    expect(linux.resources.devices.slice(1)).toEqual([
      { allow: true, type: "c", major: 1, minor: 5, access: "r" },
      { allow: true, type: "c", major: 7, minor: 8, access: "" },
    ]);
  });

  test.each([
    [{ path: "/dev/nonexistent" }, 'failed to stat CDI host device "/dev/nonexistent": no such file or directory'],
    [{ path: "/etc/passwd" }, 'failed to stat CDI host device "/etc/passwd": not a device node'],
    [{ path: "/dev/null", type: "b" }, 'CDI device ("/dev/null", "/dev/null"), host type mismatch (b, c)'],
  ])("refuses %o", (node, message) => {
    expect(() => applyEdits(CONFIG, { deviceNodes: [node] })).toThrow(
      `CDI device injection failed: failed to inject devices: ${message}`,
    );
  });
});
