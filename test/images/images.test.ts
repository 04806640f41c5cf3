import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";

let engine: PrivateEngine;
let registry: PrivateRegistry;
let remote: string;

beforeAll(async () => {
  registry = await PrivateRegistry.start();
  engine = await PrivateEngine.start({ daemonArgs: ["--registry-mirror", `http://${registry.host}`] });
  remote = `${registry.host}/library/busybox`;
  await makeBusybox(engine);
  await engine.ok(["tag", "busybox", remote]);
  await engine.ok(["push", "-q", remote]);
}, 120_000);

afterAll(async () => {
  await engine.close();
  await registry.close();
}, 120_000);

/** Without those whose space is being given back. */
const layerFiles = (): string[] => readdirSync(join(engine.dataRoot, "layers")).filter((name) => !name.startsWith("."));

describe("berth pull", () => {
  test("prints what Docker prints, through a mirror of Docker Hub", async () => {
    await engine.ok(["rmi", "-f", "busybox", remote]);
    await engine.ok(["builder", "prune", "-af"]);
    expect(layerFiles()).toEqual([]);
    const result = await engine.berth(["pull", "busybox"]);
    expect(result.exitCode).toBe(0);
    const lines = result.stdout.trim().split("\n");
    expect(lines[0]).toBe("Using default tag: latest");
    expect(lines[1]).toBe("latest: Pulling from library/busybox");
    expect(lines.filter((line) => line.endsWith(": Pull complete"))).toHaveLength(3);
    expect(lines.at(-3)).toMatch(/^Digest: sha256:[0-9a-f]{64}$/);
    expect(lines.at(-2)).toBe("Status: Downloaded newer image for busybox:latest");
    expect(lines.at(-1)).toBe("docker.io/library/busybox:latest");
    expect((await engine.berth(["pull", "busybox"])).stdout).toContain(
      "Status: Image is up to date for busybox:latest",
    );
  });

  test("takes a digest, and two pulls at once are one", async () => {
    const digest = await engine.ok(["inspect", "-f", "{{index .RepoDigests 0}}", "busybox"]);
    await engine.ok(["rmi", "busybox"]);
    const [first, second] = await Promise.all([engine.berth(["pull", remote]), engine.berth(["pull", remote])]);
    expect([first.exitCode, second.exitCode]).toEqual([0, 0]);
    const byDigest = `${remote}@${digest.split("@")[1]}`;
    expect((await engine.berth(["pull", byDigest])).stdout).toContain(`Digest: ${digest.split("@")[1]}`);
    await engine.ok(["tag", remote, "busybox"]);
  });

  test.each([
    ["an unknown tag", () => [`${remote}:nope`], "manifest for"],
    ["an unknown image", () => [`${registry.host}/no/such`], "/no/such:latest not found: manifest unknown"],
    ["a registry that does not answer", () => ["127.0.0.1:1/x/y"], "connection refused"],
    ["a bad name", () => ["busybox/UPPER"], "must be lowercase"],
  ])("fails with one clear message for %s", async (_, args, message) => {
    const result = await engine.berth(["pull", ...args()]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(message);
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
  });

  test("refuses a layer with a flipped byte and keeps no trace of it", async () => {
    await engine.ok(["tag", "busybox", `${registry.host}/damaged`]);
    await engine.ok(["push", "-q", `${registry.host}/damaged`]);
    await engine.ok(["rmi", "-f", "busybox", remote, `${registry.host}/damaged`]);
    await engine.ok(["builder", "prune", "-af"]);
    const blobs = join(registry.directory, "data/docker/registry/v2/blobs/sha256");
    const largest = readdirSync(blobs, { recursive: true })
      .map((name) => join(blobs, String(name)))
      .filter((path) => path.endsWith("/data"))
      .sort((a, b) => statSync(b).size - statSync(a).size)[0];
    if (!largest) throw new Error("the registry has no blob");
    const whole = await Bun.file(largest).bytes();
    const damaged = Uint8Array.from(whole);
    damaged[Math.floor(damaged.length / 2)] = (damaged[Math.floor(damaged.length / 2)] ?? 0) ^ 0xff;
    await Bun.write(largest, damaged);
    const result = await engine.berth(["pull", remote]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).not.toBe("");
    expect(await engine.ok(["images", "-q"])).toBe("");
    expect(readdirSync(join(engine.dataRoot, "layers")).filter((name) => name.startsWith("."))).toEqual([]);
    await Bun.write(largest, whole);
    await engine.ok(["pull", remote]);
    await engine.ok(["tag", remote, "busybox"]);
  });
});

describe("berth push, save, load, rmi", () => {
  test("what was pushed is whole for other tools, and keeps its digest on the way back", async () => {
    const copy = await run("skopeo", ["inspect", "--tls-verify=false", `docker://${remote}`]);
    expect(copy.exitCode).toBe(0);
    const digest = JSON.parse(copy.stdout)["Digest"];
    await engine.ok(["tag", "busybox", `${registry.host}/again`]);
    const pushed = await engine.berth(["push", `${registry.host}/again`]);
    expect(pushed.stdout).toContain(`The push refers to repository [${registry.host}/again]`);
    expect(pushed.stdout).toContain(`digest: ${digest}`);
    await engine.ok(["rmi", `${registry.host}/again`]);
  });

  test("saves an image that loads again under its name", async () => {
    const file = join(engine.directory, "image.tar");
    await engine.ok(["save", "-o", file, "busybox"]);
    const id = await engine.ok(["images", "-q", "--no-trunc", "busybox"]);
    expect((await run("skopeo", ["inspect", `docker-archive:${file}`])).exitCode).toBe(0);
    await engine.ok(["rmi", "-f", "busybox", remote]);
    expect(await engine.ok(["load", "-i", file])).toBe("Loaded image: busybox:latest");
    expect(await engine.ok(["images", "-q", "--no-trunc", "busybox"])).toBe(id);
    rmSync(file);
  });

  test("rmi refuses an image that a container has, and frees the layers of one that nobody has", async () => {
    const id = await engine.ok(["create", "busybox"]);
    const refused = await engine.berth(["rmi", "busybox"]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('conflict: unable to remove repository reference "busybox" (must force)');
    await engine.ok(["rm", id]);
    const removed = await engine.ok(["rmi", "busybox"]);
    expect(removed).toContain("Untagged: busybox:latest");
    expect(removed).toContain("Deleted: sha256:");
    expect(layerFiles()).toEqual([]);
    expect((await engine.berth(["rmi", "busybox"])).stderr).toContain("No such image: busybox:latest");
    await engine.ok(["pull", "busybox"]);
  });
});

describe("berth system", () => {
  test("check verifies everything and names a damaged layer", async () => {
    expect((await engine.berth(["system", "check"])).exitCode).toBe(0);
    const name = layerFiles()[0] ?? "";
    const path = join(engine.dataRoot, "layers", name);
    const bytes = await Bun.file(path).bytes();
    const damaged = Uint8Array.from(bytes);
    damaged[5000] = (damaged[5000] ?? 0) ^ 1;
    rmSync(path);
    await Bun.write(path, damaged);
    const result = await engine.berth(["system", "check"]);
    expect(result.exitCode).toBe(1);
    expect(result.stdout + result.stderr).toContain(name);
    rmSync(path);
    await Bun.write(path, bytes);
  });

  test("df adds up to what the data root costs", async () => {
    await engine.ok([
      "run",
      "-d",
      "--name",
      "writer",
      "busybox",
      "sh",
      "-c",
      "dd if=/dev/zero of=/big bs=1M count=5 2>/dev/null",
    ]);
    await engine.ok(["wait", "writer"]);
    const api = await fetch("http://engine/system/df", { unix: engine.socket } as RequestInit);
    const usage = (await api.json()) as { LayersSize: number; Containers: { SizeRw: number }[] };
    const du = async (name: string): Promise<number> =>
      Number((await run("du", ["-s", "-B1", join(engine.dataRoot, name)])).stdout.split("\t")[0]);
    expect(Math.abs(usage.LayersSize - (await du("layers")))).toBeLessThan(64 * 1024);
    const written = usage.Containers.reduce((sum, container) => sum + container.SizeRw, 0);
    expect(Math.abs(written - (await du("snapshots")))).toBeLessThan(256 * 1024);
    expect(written).toBeGreaterThan(5_000_000);
    expect(await engine.ok(["container", "prune", "-f"])).toContain("Total reclaimed space: 5.2");
  });
});
