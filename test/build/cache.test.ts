import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;
const directory = mkdtempSync(join(tmpdir(), "berth-cache-"));

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(async () => {
  await engine.close();
  rmSync(directory, { recursive: true, force: true });
}, 120_000);

const file = (path: string): string => `dd if=/dev/urandom of=${path} bs=1024 count=500 2>/dev/null`;

/** Steps of half a megabyte each, the first used longest ago; no image keeps them. */
async function fill(on: PrivateEngine, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await using context = makeContext({ Dockerfile: `FROM busybox\nRUN ${file(`/${name}`)}\n` });
    await on.ok(["build", "-q", "-t", "filled", context.path]);
    await on.ok(["rmi", "-f", "filled"]);
  }
}

/** Descriptions of the cached steps. */
async function steps(on: PrivateEngine): Promise<string[]> {
  const text = await on.ok(["builder", "du", "--filter", "type=regular", "--format", "{{.Description}}"]);
  return text.split("\n").filter((line) => line.includes("dd if"));
}

describe("berth builder prune", () => {
  test("frees what goes beyond a bound, the longest unused first", async () => {
    await fill(engine, ["one", "two", "three"]);
    expect(await steps(engine)).toHaveLength(3);
    // Contexts count too: of these only what fill() sent stays.
    await engine.ok(["builder", "prune", "-f", "--filter", "type=source.local"]);
    const pruned = await engine.ok(["builder", "prune", "-f", "--max-used-space", "1.2mb"]);
    expect(pruned).toMatch(/Total reclaimed space: [5-9]\d\d[.\d]*kB/);
    expect((await steps(engine)).join()).not.toContain("/one");
    expect((await steps(engine)).join()).toContain("/three");
    await engine.ok(["buildx", "prune", "-f", "--reserved-space", "100mb"]);
    expect(await steps(engine)).toHaveLength(2);
  });

  test("takes buildx's filters, and Docker's clients' words for them", async () => {
    const post = (query: string): Promise<{ stdout: string; exitCode: number }> =>
      run("curl", ["-s", "--unix-socket", engine.socket, "-X", "POST", `http://engine/v1.51/build/prune?${query}`]);
    const filtered = (filters: object): string => `filters=${encodeURIComponent(JSON.stringify(filters))}`;
    expect(JSON.parse((await post(filtered({ description: ["/two"] }))).stdout)).toMatchObject({
      CachesDeleted: [expect.any(String)],
    });
    expect(await steps(engine)).toHaveLength(1);
    expect((await post(filtered({ color: ["red"] }))).stdout).toContain("invalid filter 'color'");
    expect((await post("max-used-space=much")).stdout).toContain("max-used-space is in bytes");
    expect(JSON.parse((await post("keep-storage=100000000")).stdout)).toEqual({
      CachesDeleted: null,
      SpaceReclaimed: 0,
    });
    expect((await engine.berth(["builder", "prune", "-f", "--filter", "x=y"])).stderr).toContain("invalid filter 'x'");
    await engine.ok(["builder", "prune", "-f", "--filter", "type=source.local"]);
    expect(await engine.ok(["builder", "du", "--filter", "type=source.local", "--format", "{{.ID}}"])).toBe("");
    expect(await steps(engine)).toHaveLength(1);
  });

  test("du says what it costs", async () => {
    const table = await engine.ok(["buildx", "du"]);
    expect(table).toMatch(/^ID +RECLAIMABLE +SIZE +LAST ACCESSED\n/);
    expect(table).toMatch(/^Reclaimable:\s+\S+B\nTotal:\s+\S+B$/m);
    const verbose = await engine.ok(["builder", "du", "--verbose"]);
    expect(verbose).toMatch(/^Description:\s+\[2\/2\] RUN dd if=/m);
    expect(await engine.ok(["system", "df", "--format", "{{.Type}} {{.TotalCount}}"])).toMatch(/^Build Cache [1-9]/m);
  });
});

describe("builder.gc", () => {
  test("keeps the cache within its budget after builds, without a running one losing anything", async () => {
    const config = join(directory, "daemon.json");
    writeFileSync(config, JSON.stringify({ builder: { gc: { policy: [{ all: true, maxUsedSpace: "1.2mb" }] } } }));
    const small = await PrivateEngine.start({ daemonArgs: ["--config-file", config] });
    try {
      await makeBusybox(small);
      await fill(small, ["one", "two", "three", "four"]);
      // A build that began before the collection and needs the oldest step to the end.
      await using context = makeContext({
        Dockerfile: `FROM busybox\nRUN ${file("/long")}\nRUN sleep 3; test -s /long\n`,
      });
      await small.ok(["build", "-q", context.path]);
      const deadline = Date.now() + 20_000;
      while ((await steps(small)).length > 2 && Date.now() < deadline) await Bun.sleep(100);
      const left = (await steps(small)).join();
      expect(left).toContain("/long");
      expect(left).not.toContain("/one");
    } finally {
      await small.close();
    }
  }, 120_000);

  test("a configuration that says nonsense is refused by name", async () => {
    const config = join(directory, "bad.json");
    writeFileSync(config, JSON.stringify({ builder: { gc: { policy: [{ maxUsedSpace: "much" }] } } }));
    await expect(PrivateEngine.start({ daemonArgs: ["--config-file", config] })).rejects.toThrow('invalid size "much"');
  });
});
