import { describe, expect, test } from "bun:test";
import { frontendBuild } from "./frontend-options.ts";
import { solveExporter } from "./solve-exporter.ts";

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
      cacheFrom: [],
    });
  });

  test("refuses what would change the image and is not understood", () => {
    const cases: readonly Record<string, string>[] = [
      { platform: "linux/amd64,linux/arm64" },
      { "no-cache": "stage1" },
      { "attest:sbom": "" },
      { "attest:provenance": "mode=max" },
      { "shm-size": "64m" },
      { requestid: "frontend.outline" },
      { source: "example.org/my/frontend" },
      { context: "input:x" },
      { "something-new": "1" },
    ];
    for (const attributes of cases) expect(() => frontendBuild(attributes)).toThrow("not supported yet");
    expect(() => frontendBuild({ "add-hosts": "a" })).toThrow("invalid key-value pair: a");
  });
});

describe("solveExporter()", () => {
  test("tells where the result goes", () => {
    expect(solveExporter([{ type: "moby", attrs: { name: "a,b:1", push: "true" } }], false)).toEqual({
      kind: "image",
      tags: ["docker.io/library/a:latest", "docker.io/library/b:1"],
    });
    expect(solveExporter([], true).kind).toBe("none");
    expect(solveExporter([{ type: "docker", attrs: {} }], false).kind).toBe("image");
    expect(solveExporter([{ type: "docker", attrs: {} }], true).kind).toBe("archive");
    expect(solveExporter([{ type: "local", attrs: { dest: "x" } }], true).kind).toBe("directory");
    expect(() => solveExporter([{ type: "tar", attrs: {} }], false)).toThrow("the client takes no files");
    expect(() => solveExporter([{ type: "image", attrs: { push: "true" } }], true)).toThrow("push=true");
  });
});
