import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import type { Finished } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";

let registry: PrivateRegistry;
let first: PrivateEngine;
const directory = mkdtempSync(join(tmpdir(), "berth-shared-"));

beforeAll(async () => {
  registry = await PrivateRegistry.start();
  first = await PrivateEngine.start();
  await makeBusybox(first);
  await first.ok(["tag", "busybox", `${registry.host}/busybox`]);
  await first.ok(["push", "-q", `${registry.host}/busybox`]);
}, 120_000);

afterAll(async () => {
  await first.close();
  await registry.close();
  rmSync(directory, { recursive: true, force: true });
}, 120_000);

/** Another machine: an engine that has nothing. */
async function onNewEngine(work: (engine: PrivateEngine) => Promise<void>): Promise<void> {
  const engine = await PrivateEngine.start();
  try {
    await work(engine);
  } finally {
    await engine.close();
  }
}

const dockerfile = (): string =>
  [
    `FROM ${registry.host}/busybox AS make`,
    "COPY a /src/",
    "RUN dd if=/dev/urandom of=/big bs=1024 count=900 2>/dev/null && sort /src/a > /made",
    `FROM ${registry.host}/busybox`,
    "RUN date +%N > /tools",
    "COPY --from=make /made /",
    "RUN cat /made /tools > /all",
  ].join("\n");

const FILES = { a: "b\na\n" };

function build(engine: PrivateEngine, path: string, ...flags: string[]): Promise<Finished> {
  return engine.berth(["build", "--progress", "plain", "-t", "app", ...flags, path]);
}

const cachedSteps = ({ stderr }: Finished): number => (stderr.match(/^#\d+ CACHED$/gm) ?? []).length;

describe("berth build --cache-to and --cache-from", () => {
  test("type=registry,mode=max: another machine runs nothing, and fetches what it needs only", async () => {
    await using context = makeContext({ Dockerfile: dockerfile(), ...FILES });
    const ref = `${registry.host}/app-cache`;
    const exported = await build(first, context.path, "--cache-to", `type=registry,ref=${ref},mode=max`);
    expect(exported.stderr).toContain("exporting cache to registry");
    expect(exported.exitCode).toBe(0);
    const image = await first.ok(["images", "-q", "--no-trunc", "app"]);
    await onNewEngine(async (engine) => {
      const built = await build(engine, context.path, "--cache-from", ref);
      expect(built.stderr).toContain(`importing cache manifest from ${ref}`);
      // All five steps; the image is the same to the bit.
      expect(cachedSteps(built)).toBe(5);
      expect(await engine.ok(["images", "-q", "--no-trunc", "app"])).toBe(image);
      expect(await engine.ok(["run", "--rm", "app", "cat", "/made"])).toBe("a\nb");
      // The other stage's big layer stays where it is.
      expect(Number(await du(engine, "layers"))).toBeLessThan(Number(await du(first, "layers")) - 700_000);
      // What was fetched is this machine's own from now on.
      expect(cachedSteps(await build(engine, context.path))).toBeGreaterThan(2);
      // A cache can be passed on as it is: nothing of it is fetched for that.
      const again = await build(
        engine,
        context.path,
        "--cache-from",
        ref,
        "--cache-to",
        `type=registry,ref=${ref},mode=max`,
      );
      expect(again.exitCode).toBe(0);
    });
    await onNewEngine(async (engine) => {
      writeFileSync(join(context.path, "a"), "c\n");
      const changed = await build(engine, context.path, "--cache-from", ref);
      expect(changed.exitCode).toBe(0);
      expect(changed.stderr).toMatch(/RUN date \+%N > \/tools\n#\d+ CACHED/);
      expect(await engine.ok(["run", "--rm", "app", "cat", "/made"])).toBe("c");
    });
  }, 120_000);

  test("mode=min has the steps of the result alone; type=inline has them in the image", async () => {
    await using context = makeContext({ Dockerfile: dockerfile(), ...FILES });
    const inline = `${registry.host}/inline`;
    await build(
      first,
      context.path,
      "-t",
      inline,
      "--cache-to",
      "type=inline",
      "--cache-to",
      `type=registry,ref=${registry.host}/min`,
    );
    await first.ok(["push", "-q", inline]);
    for (const ref of [`${registry.host}/min`, inline]) {
      await onNewEngine(async (engine) => {
        const built = await build(engine, context.path, "--cache-from", `type=registry,ref=${ref}`);
        expect(built.exitCode).toBe(0);
        expect(built.stderr).toMatch(/RUN date \+%N > \/tools\n#\d+ CACHED/);
        expect(built.stderr).not.toMatch(/RUN dd .*\n#\d+ CACHED/);
        // The stage ran again with the same outcome: what copies from it is a hit all the same.
        expect(built.stderr).toMatch(/COPY --from=make \/made \/\n#\d+ CACHED/);
      });
    }
  }, 120_000);

  test("type=local is an OCI layout of BuildKit's cache format, owned as the directory it lies in", async () => {
    await using context = makeContext({ Dockerfile: dockerfile(), ...FILES });
    const cache = join(directory, "cache");
    expect((await build(first, context.path, "--cache-to", `type=local,dest=${cache},mode=max`)).exitCode).toBe(0);
    const read = (path: string): Record<string, never> => JSON.parse(readFileSync(join(cache, path), "utf8"));
    const blob = (digest: string): string => `blobs/sha256/${digest.slice(7)}`;
    const index = read("index.json") as unknown as { manifests: { digest: string }[] };
    const manifest = read(blob(index.manifests[0]!.digest)) as unknown as {
      config: { mediaType: string; digest: string };
      layers: { digest: string; size: number }[];
    };
    expect(manifest.config.mediaType).toBe("application/vnd.buildkit.cacheconfig.v0");
    const config = read(blob(manifest.config.digest)) as unknown as {
      layers: { blob: string; parent: number; annotations: { diffID: string; size: number } }[];
      records: { digest: string; layers?: { layer: number }[] }[];
    };
    const blobs = new Map(manifest.layers.map(({ digest, size }) => [digest, size]));
    for (const [at, { blob: digest, parent, annotations }] of config.layers.entries()) {
      expect(blobs.get(digest)).toBe(annotations.size);
      expect(statSync(join(cache, blob(digest))).size).toBe(annotations.size);
      expect(parent).toBeLessThan(at);
    }
    for (const { layers } of config.records) {
      for (const { layer } of layers ?? []) expect(config.layers[layer]).toBeDefined();
    }
    const before = readdirSync(join(cache, "blobs/sha256")).length;
    await build(first, context.path, "--cache-to", `type=local,dest=${cache},mode=max`);
    expect(readdirSync(join(cache, "blobs/sha256"))).toHaveLength(before);
    await onNewEngine(async (engine) => {
      const built = await build(engine, context.path, "--cache-from", `type=local,src=${cache}`);
      expect(built.stderr).toMatch(/RUN cat \/made \/tools > \/all\n#\d+ CACHED/);
      // A damaged layer is told by name and makes nothing.
      await engine.ok(["system", "prune", "-af"]);
      for (const { digest } of manifest.layers) writeFileSync(join(cache, blob(digest)), "damaged");
      const damaged = await build(engine, context.path, "--cache-from", `type=local,src=${cache}`);
      expect(damaged.exitCode).toBe(1);
      expect(damaged.stderr).toContain("cached layer");
    });
  }, 120_000);

  test("a cache of BuildKit's own is read without an error, and matches where digests do", async () => {
    await using context = makeContext({ Dockerfile: `FROM ${registry.host}/busybox\nRUN echo x > /x\n` });
    const cache = join(directory, "foreign");
    await build(first, context.path, "--cache-to", `type=local,dest=${cache}`);
    const path = (digest: string): string => join(cache, "blobs/sha256", digest.slice(7));
    const { digestOf } = await import("../../src/formats/digest.ts");
    const store = (value: unknown): { digest: string; size: number } => {
      const bytes = JSON.stringify(value);
      const digest = digestOf(bytes);
      writeFileSync(path(digest), bytes);
      return { digest, size: bytes.length };
    };
    const index = JSON.parse(readFileSync(join(cache, "index.json"), "utf8"));
    const manifest = JSON.parse(readFileSync(path(index.manifests[0].digest), "utf8"));
    const config = JSON.parse(readFileSync(path(manifest.config.digest), "utf8"));
    // As BuildKit writes it: links between records, selectors, nothing of ours, an index instead of a manifest.
    const random = `sha256:${"ab".repeat(32)}`;
    const records = [
      { digest: random, inputs: [] },
      ...config.records.map(({ berth: _ours, ...record }: { berth: unknown }) => ({
        ...record,
        inputs: [[{ link: 0, selector: "s" }]],
      })),
    ];
    const foreign = store({ layers: config.layers, records });
    const type = "application/vnd.buildkit.cacheconfig.v0";
    const list = store({ schemaVersion: 2, manifests: [...manifest.layers, { mediaType: type, ...foreign }] });
    const entry = { mediaType: "application/vnd.oci.image.index.v1+json", ...list };
    writeFileSync(join(cache, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
    await onNewEngine(async (engine) => {
      const built = await build(engine, context.path, "--cache-from", `type=local,src=${cache}`);
      expect(built.stderr).toMatch(/RUN echo x > \/x\n#\d+ CACHED/);
    });
  }, 120_000);

  test("what cannot be read is passed over, what cannot be written fails unless told otherwise, nonsense is refused", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\nRUN true\n" });
    const missing = await build(first, context.path, "--cache-from", `${registry.host}/none`);
    expect(missing.exitCode).toBe(0);
    expect(missing.stderr).toMatch(/importing cache manifest from .*\n#\d+ ERROR: /);
    const nowhere = "type=local,dest=/nonexistent/directory/cache";
    expect((await build(first, context.path, "--cache-to", nowhere)).exitCode).toBe(1);
    expect((await build(first, context.path, "--cache-to", `${nowhere},ignore-error=true`)).exitCode).toBe(0);
    for (const [flags, message] of [
      [["--cache-to", "type=gha"], 'cache type "gha" is not supported'],
      [["--cache-to", "type=registry,ref=x,color=red"], "unsupported attribute color=red"],
      [["--cache-to", "type=registry,ref=x,mode=some"], 'invalid mode "some"'],
      [["--cache-from", "type=local"], "type local needs src"],
    ] as const) {
      const { stderr, exitCode } = await build(first, context.path, ...flags);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
    }
  }, 120_000);
});

async function du(engine: PrivateEngine, name: string): Promise<string> {
  const { run } = await import("../../tools/harness/child.ts");
  return (await run("du", ["-sb", join(engine.dataRoot, name)])).stdout.split("\t")[0] ?? "";
}
