import { describe, expect, test } from "bun:test";
import { digestOf } from "#formats/digest.ts";
import type { RunMount, RunStep } from "../graph/graph-types.ts";
import { contentKey, runKey } from "./cache-key.ts";

const CONTENT = { argument: "", content: digestOf("files") };
const FILES = { kind: "files", name: "" } as const;

function keyWith(mounts: readonly RunMount[], sources = 0): string {
  const step: RunStep = {
    kind: "run",
    name: "",
    source: { startLine: 1, endLine: 1 },
    args: ["true"],
    env: [],
    proxyEnv: [],
    cwd: "/",
    user: "",
    network: "default",
    security: "sandbox",
    mounts,
    devices: [],
    grantedDevices: [],
    missingDevices: [],
  };
  const platform = { os: "linux", architecture: "amd64" };
  return runKey(
    step,
    digestOf("root"),
    platform,
    [],
    Array.from({ length: sources }, () => CONTENT),
  ).key;
}

function cache(target: string, from?: typeof FILES): RunMount {
  const owner = { mode: 0o755, uid: 0, gid: 0 };
  return { type: "cache", target, id: "x", from, source: "", readOnly: false, sharing: "shared", ...owner };
}

describe("runKey() tells apart", () => {
  test("a target that looks like options, and these options", () => {
    const plain = { type: "tmpfs", size: 0 } as const;
    const strange = keyWith([{ ...plain, target: "/a,ro=1", readOnly: false }]);
    expect(strange).not.toBe(keyWith([{ ...plain, target: "/a", readOnly: true }]));
  });

  test("which of two caches begins with files of elsewhere", () => {
    const first = keyWith([cache("/a", FILES), cache("/b")], 1);
    expect(first).not.toBe(keyWith([cache("/a"), cache("/b", FILES)], 1));
  });
});

test("runKey() is the same whatever a cache is called and holds", () => {
  expect(keyWith([cache("/a")])).toBe(keyWith([{ ...cache("/a"), id: "y", sharing: "locked" } as RunMount]));
});

test("contentKey() tells files with their parents from the same files without", () => {
  expect(contentKey([], [["a", "b"]], []).key).not.toBe(contentKey([], ["a/./b"], []).key);
});
