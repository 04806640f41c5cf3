import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Descriptor } from "../../src/spec/oci-image.ts";
import { makeContext } from "../../tools/harness/busybox.ts";
import { type Finished, run } from "../../tools/harness/child.ts";
import { type PublishedIndex, publishIndex } from "../../tools/harness/multi-platform.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";
import { digestOf } from "../../tools/harness/scripted-registry.ts";

let engine: PrivateEngine;
let registry: PrivateRegistry;
let other: PrivateRegistry;
let name: string;
let published: PublishedIndex;
let config: string;

beforeAll(async () => {
  [registry, other] = await Promise.all([PrivateRegistry.start(), PrivateRegistry.start()]);
  engine = await PrivateEngine.start();
  name = `${registry.host}/team/multi`;
  published = await publishIndex(engine, registry.host, "team/multi", ["linux/amd64", "linux/arm64"]);
  config = join(engine.directory, "config");
}, 120_000);

afterAll(async () => {
  await engine.close();
  await Promise.all([registry.close(), other.close()]);
}, 120_000);

const ok = (...args: readonly string[]): Promise<string> => engine.ok(args, { env: { DOCKER_CONFIG: config } });
const failure = async (...args: readonly string[]): Promise<string> => {
  const { exitCode, stderr } = await engine.berth(args, { env: { DOCKER_CONFIG: config } });
  expect(exitCode).toBe(1);
  return stderr.trim();
};
const single = (platform: string): string => `${name}:${platform.replaceAll("/", "-")}`;

describe("berth manifest", () => {
  test("inspect prints an index, a manifest, and with -v what is in them", async () => {
    const index = JSON.parse(await ok("manifest", "inspect", name));
    expect(index.manifests.map((entry: { digest: string }) => entry.digest)).toEqual(
      Object.values(published.manifests),
    );
    expect(JSON.parse(await ok("manifest", "inspect", single("linux/arm64"))).layers).toHaveLength(1);
    const [first] = JSON.parse(await ok("manifest", "inspect", "-v", name));
    expect(first.Ref).toBe(`${name}:latest@${published.manifests["linux/amd64"]}`);
    expect(first.Descriptor.platform).toEqual({ architecture: "amd64", os: "linux" });
    expect(digestOf(Buffer.from(first.Raw, "base64"))).toBe(published.manifests["linux/amd64"] ?? "");
    expect(await failure("manifest", "inspect", `${name}:nope`)).toBe(`no such manifest: ${name}:nope`);
  });

  test("create, annotate and push make an index in another repository; rm forgets it", async () => {
    const list = `${registry.host}/team/list:v1`;
    const parts = [single("linux/amd64"), single("linux/arm64")];
    expect(await ok("manifest", "create", list, ...parts)).toBe(`Created manifest list ${list}`);
    expect(await failure("manifest", "create", list, ...parts)).toBe(
      "refusing to amend an existing manifest list with no --amend flag",
    );
    await ok("manifest", "annotate", "--variant", "v8", "--os-features", "a,b", list, single("linux/arm64"));
    expect(await failure("manifest", "annotate", list, `${name}:none`)).toBe(
      `manifest for image ${name}:none does not exist in ${list}`,
    );
    const platforms = JSON.parse(await ok("manifest", "inspect", list)).manifests.map(
      ({ platform }: { platform: unknown }) => platform,
    );
    expect(platforms[1]).toEqual({ architecture: "arm64", os: "linux", "os.features": ["a", "b"], variant: "v8" });
    const output = (await ok("manifest", "push", "--purge", list)).split("\n");
    expect(output[0]).toStartWith(`Pushed ref ${registry.host}/team/list@sha256:`);
    expect(output.at(-1)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await ok("pull", "--platform", "linux/arm64", list)).toContain(`Digest: ${output.at(-1)}`);
    expect(await failure("manifest", "rm", list)).toBe(`No such manifest: ${list}`);
    expect(existsSync(join(config, "manifests", list.replaceAll(":", "-").replaceAll("/", "_")))).toBe(false);
  });

  test("push refuses sources of another registry", async () => {
    const list = `${other.host}/list:v1`;
    await ok("manifest", "create", list, single("linux/amd64"));
    expect(await failure("manifest", "push", list)).toBe(
      `cannot use source images from a different registry than the target image: ${registry.host} != ${other.host}`,
    );
    await ok("manifest", "rm", list);
  });
});

describe("berth buildx imagetools", () => {
  const inspect = (...args: readonly string[]): Promise<string> => ok("buildx", "imagetools", "inspect", ...args);

  test("inspect shows an index as text, raw, and by templates", async () => {
    const text = (await inspect(name)).split("\n");
    expect(text[0]).toBe(`Name:      ${name}:latest`);
    expect(text[2]).toBe(`Digest:    ${published.digest}`);
    expect(text).toContain("  Platform:  linux/arm64");
    expect(digestOf(Buffer.from(await inspect("--raw", name)))).toBe(published.digest);
    expect(await inspect("--format", "{{.Manifest.Digest}} {{.Name}}", name)).toBe(`${published.digest} ${name}`);
    const images = JSON.parse(await inspect("--format", "{{json .Image}}", name));
    expect(Object.keys(images)).toEqual(["linux/amd64", "linux/arm64"]);
    expect(images["linux/arm64"].architecture).toBe("arm64");
  });

  test("create copies an index to another registry as it is, and joins images with annotations", async () => {
    const target = `${other.host}/promoted`;
    await ok("buildx", "imagetools", "create", "-t", target, name);
    expect(await inspect("--format", "{{.Manifest.Digest}}", target)).toBe(published.digest);
    expect(await ok("pull", "--platform", "linux/arm64", target)).toContain("Status: Downloaded newer image");
    const joined = `${other.host}/joined`;
    const notes = ["--annotation", "index:a=b", "--annotation", "manifest-descriptor:c=d"];
    await ok("buildx", "imagetools", "create", "-t", joined, ...notes, single("linux/amd64"));
    await ok("buildx", "imagetools", "create", "-t", joined, "--append", single("linux/arm64"));
    const { manifests } = JSON.parse(await inspect("--format", "{{json .Manifest}}", joined));
    expect(manifests.map(({ platform }: { platform: { architecture: string } }) => platform.architecture)).toEqual([
      "amd64",
      "arm64",
    ]);
    expect(manifests[0].annotations).toEqual({ c: "d" });
    expect(await failure("buildx", "imagetools", "create", name)).toContain("please set --tag or --dry-run");
  });
});

/** Debian 13's docker with buildx 0.13, both here: tools/current-docker.sh. */
const CURRENT = join(import.meta.dirname, "../../.cache/current-docker");

describe("berth buildx imagetools beside buildx", () => {
  test("inspect and create print what buildx prints, and make the same indexes", async () => {
    const plugins = join(engine.directory, "plugins");
    mkdirSync(plugins, { recursive: true });
    symlinkSync(join(CURRENT, "cli-plugins"), join(plugins, "cli-plugins"));
    writeFileSync(join(plugins, "config.json"), "{}");
    const env = { DOCKER_CONFIG: plugins, DOCKER_HOST: `unix://${engine.socket}`, PATH: process.env["PATH"] ?? "" };
    const beside = async (...args: readonly string[]): Promise<void> => {
      const command = ["buildx", "imagetools", ...args];
      const docker = await run(join(CURRENT, "docker"), command, { env });
      const ours = await engine.berth(command, { env });
      const untimed = ({ exitCode, stdout, stderr }: Finished): object => ({
        args,
        exitCode,
        stdout,
        stderr: stderr.replace(/\d\.\d{3} (pushing|copying)/g, "T $1").replace(/DONE \d\.\ds/g, "DONE T"),
      });
      expect(untimed(ours)).toEqual(untimed(docker));
    };
    const [one, two] = [single("linux/amd64"), single("linux/arm64")];
    for (const image of [name, one]) {
      for (const field of ["", ".Manifest", ".Image", ".Provenance", ".SBOM"]) {
        await beside("inspect", "--format", `{{json ${field || "."}}}`, image);
      }
      await beside("inspect", image);
      await beside("inspect", "--raw", image);
    }
    await beside("inspect", "--format", "{{range .Manifest.Manifests}}{{.Digest}} {{.Platform.OS}}\n{{end}}", name);
    await beside("inspect", "--format", '{{(index .Image "linux/arm64").Architecture}}', name);
    await beside("inspect", "--format", "{{.Image.OS}} {{.Image.RootFS.Type}}", one);
    await beside("inspect", "--format", "{{.Foo}}", one);
    await beside("inspect", `${name}:none`);
    await beside("inspect", "UPPER");
    const dry = ["create", "--dry-run"];
    await beside(...dry, one, two);
    await beside(...dry, one);
    await beside(...dry, name);
    await beside(...dry, "-t", name, published.manifests["linux/amd64"] ?? "");
    await beside(...dry, published.manifests["linux/amd64"] ?? "");
    await using source = makeContext({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
    const oci = `${registry.host}/team/oci`;
    const platforms = ["--platform", "linux/amd64,linux/arm64"];
    await engine.ok(["build", "-q", ...platforms, "-t", oci, "--annotation", "index:own=1", "--push", source.path]);
    await beside("inspect", oci);
    const { manifests } = JSON.parse(await engine.ok(["manifest", "inspect", oci])) as { manifests: Descriptor[] };
    const parts = manifests.map(({ digest }) => `${oci}@${digest}`);
    const notes = ["index:b=1", "index:a=<2>", "manifest-descriptor:c=3", "manifest-descriptor[linux/arm64]:d=4"];
    await beside(...dry, ...notes.flatMap((note) => ["--annotation", note]), ...parts);
    for (const bad of ["a=b", "manifest:a=b", "x", "frob:x=y"]) await beside(...dry, "--annotation", bad, ...parts);
    await beside(...dry, ...parts, one);
    await beside(...dry);
    await beside("create", one);
    const joined = `${registry.host}/team/joined:1`;
    await beside("create", "--progress", "plain", "-t", joined, one);
    await beside("create", "--progress", "plain", "-t", joined, "--append", two);
    await beside("inspect", joined);
  }, 120_000);
});
