import { describe, expect, test } from "bun:test";
import { frontendBuild } from "./frontend-options.ts";

describe("frontendBuild()", () => {
  test("reads the caches to import", () => {
    const imports = JSON.stringify([{ Type: "registry", Attrs: { ref: "user/app:cache" } }]);
    expect(frontendBuild({ "cache-imports": imports }).cacheImports).toEqual([
      { type: "registry", attrs: { ref: "user/app:cache" } },
    ]);
    expect(frontendBuild({}).cacheImports).toEqual([]);
    expect(() => frontendBuild({ "cache-imports": "{" })).toThrow("invalid cache-imports");
  });

  test("reads limits of steps", () => {
    const attributes = { "shm-size": "67108864", ulimit: "nofile=10:20,nproc=5", "cgroup-parent": "/a" };
    expect(frontendBuild(attributes).limits).toEqual({
      resources: {},
      shmSize: 67_108_864,
      ulimits: [
        { name: "nofile", soft: 10, hard: 20 },
        { name: "nproc", soft: 5, hard: 5 },
      ],
      cgroupParent: "/a",
    });
    expect(frontendBuild({}).limits).toBeUndefined();
    for (const bad of [{ ulimit: "nofile" }, { ulimit: "NOFILE=1" }, { "shm-size": "-1" }, { "shm-size": "64m" }])
      expect(() => frontendBuild(bad)).toThrow("invalid");
  });
});
