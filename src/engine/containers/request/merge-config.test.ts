import { describe, expect, test } from "bun:test";
import type { ContainerDefaults } from "#spec/oci-image.ts";
import { mergeConfig, mergeEnv } from "./merge-config.ts";

const HOSTNAME = "0123456789ab";

const IMAGE: ContainerDefaults = {
  Env: ["PATH=/bin", "A=image"],
  Entrypoint: ["/init"],
  Cmd: ["serve"],
  WorkingDir: "/srv",
  User: "app",
  Labels: { from: "image", kept: "yes" },
  ExposedPorts: { "80/tcp": {} },
};

describe("mergeConfig()", () => {
  test("takes the image's defaults where the request says nothing", () => {
    expect(mergeConfig({ Image: "x" }, IMAGE, HOSTNAME)).toMatchObject({
      Entrypoint: ["/init"],
      Cmd: ["serve"],
      Env: ["PATH=/bin", "A=image"],
      WorkingDir: "/srv",
      User: "app",
      Hostname: HOSTNAME,
      ExposedPorts: { "80/tcp": {} },
    });
  });

  test("cleans the working directory that is asked for", () => {
    const workingDir = (WorkingDir: string): string | undefined =>
      mergeConfig({ Image: "x", WorkingDir }, IMAGE, HOSTNAME).WorkingDir;
    expect(["/tmp/", "/a/../b//c/", "/", ""].map(workingDir)).toEqual(["/tmp", "/b/c", "/", "/srv"]);
  });

  test("joins environment, labels and ports, the request's winning by name", () => {
    const merged = mergeConfig(
      { Env: ["A=mine", "B=2"], Labels: { from: "me" }, ExposedPorts: { "81/tcp": {} } },
      IMAGE,
      HOSTNAME,
    );
    expect(merged.Env).toEqual(["A=mine", "B=2", "PATH=/bin"]);
    // The name alone: the process gets no such variable.
    expect(mergeConfig({ Env: ["A", "B="] }, IMAGE, HOSTNAME).Env).toEqual(["A", "B=", "PATH=/bin"]);
    expect(merged.Labels).toEqual({ from: "me", kept: "yes" });
    expect(Object.keys(merged.ExposedPorts ?? {})).toEqual(["80/tcp", "81/tcp"]);
  });

  test.each([
    ["a command of one's own keeps the entrypoint", { Cmd: ["sh"] }, ["/init"], ["sh"]],
    ["an entrypoint of one's own drops the image's command", { Entrypoint: ["ls"] }, ["ls"], null],
    ["an empty entrypoint is none, and leaves the image's command", { Entrypoint: [] }, [], ["serve"]],
    ["the entrypoint [''] clears it", { Entrypoint: [""], Cmd: ["sh"] }, null, ["sh"]],
  ])("%s", (_, request, entrypoint, command) => {
    const merged = mergeConfig(request, IMAGE, HOSTNAME);
    expect(merged.Entrypoint ?? null).toEqual(entrypoint);
    expect(merged.Cmd ?? null).toEqual(command);
  });

  test("refuses when there is nothing to run", () => {
    expect(() => mergeConfig({}, {}, HOSTNAME)).toThrow("no command specified");
    expect(() => mergeConfig({ Entrypoint: [""] }, IMAGE, HOSTNAME)).toThrow("no command specified");
  });
});

describe("mergeEnv()", () => {
  test("keeps the order of first appearance; a bare name removes", () => {
    expect(mergeEnv(["A=1", "B=2", "C=3"], ["C=9", "B", "D=4"])).toEqual(["A=1", "C=9", "D=4"]);
  });
});
