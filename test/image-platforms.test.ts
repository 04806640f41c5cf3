import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type PublishedIndex, publishIndex } from "../tools/harness/multi-platform.ts";
import { PrivateEngine } from "../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../tools/harness/private-registry.ts";

const HOST = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
const OTHER = "linux/s390x";

let engine: PrivateEngine;
let registry: PrivateRegistry;
let name: string;
let published: PublishedIndex;

beforeAll(async () => {
  registry = await PrivateRegistry.start();
  engine = await PrivateEngine.start();
  name = `${registry.host}/team/multi`;
  published = await publishIndex(engine, registry.host, "team/multi", [HOST, OTHER, "linux/arm/v6"]);
}, 60_000);

afterAll(async () => {
  await engine.close();
  await registry.close();
}, 60_000);

const entries = (folder: string): string[] =>
  readdirSync(join(engine.dataRoot, folder)).filter((entry) => !entry.startsWith("."));
const printed = (...flags: readonly string[]): Promise<string> =>
  engine.ok(["run", "--rm", "--network", "none", ...flags, name]);
const architecture = (...flags: readonly string[]): Promise<string> =>
  engine.ok(["image", "inspect", "-f", "{{.Architecture}} {{.RepoTags}}", ...flags, name]);

describe("an image of several platforms", () => {
  test("is pulled a platform at a time under one name, whose digest is the index's", async () => {
    expect(await engine.ok(["pull", name])).toContain(`Digest: ${published.digest}`);
    expect(await engine.ok(["pull", "--platform", OTHER, name])).toContain("Status: Downloaded newer image");
    expect(await engine.ok(["pull", "--platform", OTHER, name])).toContain("Status: Image is up to date");
    const list = await engine.ok(["images", "--digests", "--format", "{{.Repository}}:{{.Tag}} {{.Digest}}"]);
    expect(list).toBe(`${name}:latest ${published.digest}`);
    const missing = await engine.berth(["pull", "--platform", "linux/riscv64", name]);
    expect(missing.stderr).toContain("no matching manifest for linux/riscv64 in the manifest list entries");
  });

  test("means this machine's platform unless one is asked for", async () => {
    expect(await architecture()).toBe(`${HOST.split("/")[1]} [${name}:latest]`);
    expect(await architecture("--platform", OTHER)).toBe(`s390x [${name}:latest]`);
    expect(await printed()).toBe(HOST);
    expect(await printed("--platform", OTHER)).toBe(OTHER);
    expect(await engine.ok(["history", "--platform", OTHER, "-q", name])).not.toBe(
      await engine.ok(["history", "-q", name]),
    );
    const missing = await engine.berth(["image", "inspect", "--platform", "linux/arm/v6", name]);
    expect(missing.stderr).toContain(
      `image with reference ${name}:latest was found but does not provide the specified platform (linux/arm/v6)`,
    );
  });

  test("gives a further tag all its platforms, and prune leaves them", async () => {
    await engine.ok(["tag", name, "mine"]);
    expect(await engine.ok(["image", "inspect", "-f", "{{.Architecture}}", "--platform", OTHER, "mine"])).toBe("s390x");
    await engine.ok(["rmi", name]);
    await engine.ok(["image", "prune", "-f"]);
    expect(await engine.ok(["image", "inspect", "-f", "{{.Architecture}}", "--platform", OTHER, "mine"])).toBe("s390x");
    await engine.ok(["pull", name]);
  });

  test("loses one platform by rmi --platform, and all with its last name", async () => {
    const before = entries("layers").length;
    const removed = await engine.ok(["rmi", "--platform", HOST, name]);
    expect(removed).toMatch(/^Deleted: sha256:/);
    expect(entries("layers").length).toBe(before - 1);
    expect(await architecture()).toBe(
      `s390x [mine:latest ${name}:latest]`.replace(/\[(.*) (.*)\]/, (_, a, b) => `[${[a, b].sort().join(" ")}]`),
    );
    await engine.ok(["rmi", "mine"]);
    await engine.ok(["pull", name]);
    expect(await printed()).toBe(HOST);
    const all = await engine.ok(["rmi", name]);
    expect(all.match(/^Untagged: /gm)).toHaveLength(2);
    expect(all.match(/^Deleted: /gm)).toHaveLength(4);
    expect([entries("layers"), entries("blobs/sha256"), await engine.ok(["images", "-aq"])]).toEqual([[], [], ""]);
  });

  test("keeps the variant that a container needs, without a name", async () => {
    await engine.ok(["pull", name]);
    await engine.ok(["pull", "--platform", OTHER, name]);
    const id = await engine.ok(["create", "--platform", OTHER, name]);
    await engine.ok(["rmi", name]);
    expect(await engine.ok(["images", "--format", "{{.Repository}}"])).toBe("<none>");
    await engine.ok(["rm", id]);
    await engine.ok(["image", "prune", "-f"]);
    expect([entries("layers"), entries("blobs/sha256")]).toEqual([[], []]);
  });
});
