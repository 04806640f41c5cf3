import { describe, expect, test } from "bun:test";
import { sessionOutputs } from "../outputs/session-outputs.ts";
import { frontendBuild } from "./frontend-options.ts";

describe("frontendBuild()", () => {
  test("reads what buildx sends", () => {
    expect(
      frontendBuild({
        filename: "My.Dockerfile",
        target: "final",
        "build-arg:A": "1",
        "label:b": "2",
        "no-cache": "",
        "image-resolve-mode": "pull",
        "add-hosts": "a=1.2.3.4,b=::1",
        "force-network-mode": "none",
        platform: "linux/amd64",
        "context:base": "docker-image://alpine",
        contextkey: "c1",
        dockerfilekey: "d1",
        "vcs:source": "x",
        "attest:provenance": "mode=min,inline-only=true",
        hostname: "h",
      }),
    ).toEqual({
      dockerfileName: "My.Dockerfile",
      target: "final",
      buildArgs: { A: "1", BUILDKIT_SANDBOX_HOSTNAME: "h" },
      labels: { b: "2" },
      noCache: true,
      pull: true,
      extraHosts: ["a:1.2.3.4", "b:::1"],
      networkMode: "none",
      platforms: ["linux/amd64"],
      contexts: { base: "docker-image://alpine" },
      contextKey: "c1",
      dockerfileKey: "d1",
      remote: "",
      noCacheFilter: [],
      cacheImports: [],
      subrequest: "",
      attestations: ["type=provenance,mode=min,inline-only=true"],
    });
  });

  test("refuses what would change the image and is not understood", () => {
    const cases: readonly Record<string, string>[] = [{ source: "example.org/my/frontend" }, { "something-new": "1" }];
    for (const attributes of cases) expect(() => frontendBuild(attributes)).toThrow("not supported yet");
    expect(() => frontendBuild({ "add-hosts": "a" })).toThrow("invalid key-value pair: a");
  });
});

describe("sessionOutputs()", () => {
  const takes = { canReceive: true, hasBlobs: false };
  const takesNothing = { canReceive: false, hasBlobs: false };

  test("tells where the result goes, in the engine's terms", () => {
    expect(sessionOutputs([], takes)).toEqual([{ type: "cacheonly", attrs: {} }]);
    expect(
      sessionOutputs([{ type: "moby", attrs: { name: "a,b:1", push: "true", load: "true" } }], takesNothing),
    ).toEqual([{ type: "moby", attrs: { name: "a,b:1" } }]);
    expect(sessionOutputs([{ type: "docker", attrs: {} }], takesNothing)).toEqual([{ type: "docker", attrs: {} }]);
    expect(sessionOutputs([{ type: "docker", attrs: {} }], takes)[0]?.attrs).toHaveProperty("dest");
    expect(() => sessionOutputs([{ type: "tar", attrs: {} }], takesNothing)).toThrow("the client takes no files");
    expect(() => sessionOutputs([{ type: "oci", attrs: { tar: "false" } }], takes)).toThrow("takes no files");
  });
});
