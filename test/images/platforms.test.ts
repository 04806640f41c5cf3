import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { type PublishedIndex, publishIndex } from "../../tools/harness/multi-platform.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";

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
}, 120_000);

afterAll(async () => {
  await engine.close();
  // One of the tests did so already.
  await registry.close();
}, 120_000);

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

describe("save and load of several platforms", () => {
  test("take all that are here, or those that are asked for", async () => {
    await engine.ok(["pull", name]);
    await engine.ok(["pull", "--platform", OTHER, name]);
    const all = join(engine.directory, "all.tar");
    const one = join(engine.directory, "one.tar");
    await engine.ok(["save", "-o", all, name]);
    await engine.ok(["save", "--platform", OTHER, "-o", one, name]);
    await engine.ok(["rmi", name]);
    expect(await engine.ok(["load", "-i", all])).toBe(`Loaded image: ${name}:latest`);
    expect([await printed(), await printed("--platform", OTHER)]).toEqual([HOST, OTHER]);
    await engine.ok(["rmi", name]);
    await engine.ok(["load", "--platform", OTHER, "-i", all]);
    expect(await printed("--platform", OTHER)).toBe(OTHER);
    expect((await engine.berth(["run", "--rm", "--pull=never", "--platform", HOST, name])).exitCode).toBe(125);
    await engine.ok(["rmi", name]);
    await engine.ok(["load", "-i", one]);
    expect(await printed("--platform", OTHER)).toBe(OTHER);
    const missing = await engine.berth(["load", "--platform", "linux/riscv64", "-i", all]);
    expect(missing.stderr).toContain("requested platform (linux/riscv64) not found");
    await engine.ok(["rmi", name]);
  });

  test("are read by skopeo, and its OCI archives are loaded", async () => {
    await engine.ok(["pull", name]);
    await engine.ok(["pull", "--platform", OTHER, name]);
    const archive = join(engine.directory, "saved.tar");
    await engine.ok(["save", "-o", archive, name]);
    const copied = join(engine.directory, "copied.tar");
    const copy = ["copy", "--all", `oci-archive:${archive}:latest`, `oci-archive:${copied}:other`];
    const { exitCode, stderr } = await run("skopeo", copy);
    expect([exitCode, stderr]).toEqual([0, ""]);
    await engine.ok(["rmi", name]);
    const loaded = await engine.ok(["load", "-i", copied]);
    expect(loaded.match(/^Loaded image ID: sha256:/gm)).toHaveLength(2);
    await engine.ok(["image", "prune", "-f"]);
    expect([entries("layers"), entries("blobs/sha256")]).toEqual([[], []]);
  });
});

describe("push of several platforms", () => {
  const digestAt = async (repository: string): Promise<string | null> => {
    const accept = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json";
    const url = `http://${mirror.host}/v2/${repository}/manifests/latest`;
    return (await fetch(url, { headers: { accept } })).headers.get("docker-content-digest");
  };
  let mirror: PrivateRegistry;
  beforeAll(async () => {
    mirror = await PrivateRegistry.start();
  });
  afterAll(() => mirror.close());

  test("sends one image where the index is not whole, and says so", async () => {
    const target = `${mirror.host}/some/one`;
    await engine.ok(["pull", name]);
    await engine.ok(["tag", name, target]);
    const output = await engine.ok(["push", target]);
    expect(output).toContain("Not all multiplatform-content is present");
    expect(output).toContain(`${published.digest} -> ${published.manifests[HOST]}`);
    expect(await digestAt("some/one")).toBe(published.manifests[HOST] ?? "");
  });

  test("sends the index byte for byte to another registry, with layers from where they came", async () => {
    const target = `${mirror.host}/whole/copy`;
    for (const platform of [OTHER, "linux/arm/v6"]) await engine.ok(["pull", "--platform", platform, name]);
    await engine.ok(["tag", name, target]);
    const output = await engine.ok(["push", target]);
    expect(output).toContain(`latest: digest: ${published.digest} size: `);
    expect(output).toContain("Mounted from some/one");
    expect(await digestAt("whole/copy")).toBe(published.digest);
    const only = await engine.ok(["push", "--platform", OTHER, target]);
    expect(only).toContain("Using --platform pushes only the specified platform manifest");
    expect(await digestAt("whole/copy")).toBe(published.manifests[OTHER] ?? "");
  });

  test("makes a new manifest where the original bytes can be had nowhere", async () => {
    const target = `${mirror.host}/remade`;
    await engine.ok(["tag", name, target]);
    await registry.close();
    // What the mirror has could be mounted.
    rmSync(join(mirror.directory, "data"), { recursive: true });
    const output = await engine.ok(["push", target]);
    expect(output).toContain("Not all multiplatform-content is present");
    expect(await engine.ok(["pull", `${target}@${await digestAt("remade")}`])).toContain("Status: ");
  });
});
