import { describe, expect, test } from "bun:test";
import { frontendBuild } from "./frontend-options.ts";

describe("frontendBuild()", () => {
  test("reads the caches to import", () => {
    const imports = JSON.stringify([{ Type: "registry", Attrs: { ref: "user/app:cache" } }]);
    expect(frontendBuild({ "cache-imports": imports }).cacheFrom).toEqual([
      { type: "registry", reference: "docker.io/user/app:cache" },
    ]);
    expect(frontendBuild({}).cacheFrom).toEqual([]);
    const local = JSON.stringify([{ Type: "local", Attrs: { src: "x" } }]);
    expect(() => frontendBuild({ "cache-imports": local })).toThrow('is not supported yet: "local"');
  });
});
