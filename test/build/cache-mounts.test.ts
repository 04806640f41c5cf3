import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;
let other: PrivateEngine;
const directory = mkdtempSync(join(tmpdir(), "berth-mounts-"));

beforeAll(async () => {
  [engine, other] = await Promise.all([PrivateEngine.start(), PrivateEngine.start()]);
  await Promise.all([makeBusybox(engine), makeBusybox(other)]);
}, 120_000);

afterAll(async () => {
  await Promise.all([engine.close(), other.close()]);
  rmSync(directory, { recursive: true, force: true });
}, 120_000);

const MOUNT = "--mount=type=cache,target=/root/.npm,id=npm";
const rows = async (on: PrivateEngine): Promise<string> =>
  on.ok(["builder", "cache-mount", "ls", "--format", "{{.ID}} {{.Target}} {{.LastUser}}", "--no-trunc"]);

test("caches are listed, moved to another engine, and removed", async () => {
  const fill = "mkdir /root/.npm/d; echo kept > /root/.npm/d/f; ln -s d/f /root/.npm/l; chmod 600 /root/.npm/d/f";
  await using context = makeContext({ Dockerfile: `FROM busybox\nRUN ${MOUNT} ${fill}\n` });
  await engine.ok(["build", "-q", context.path]);
  expect(await rows(engine)).toContain("npm /root/.npm [2/2] RUN --mount=type=cache");
  expect(await engine.ok(["builder", "du", "--filter", "type=exec.cachemount"])).toContain("Reclaimable:");
  const tar = join(directory, "npm.tar");
  await engine.ok(["builder", "cache-mount", "export", "npm", "-o", tar]);
  expect((await run("tar", ["-tvf", tar])).stdout).toMatch(/-rw------- .* d\/f\n.* l -> d\/f/);
  await other.ok(["buildx", "cache-mount", "import", "npm", "-i", tar]);
  await using reader = makeContext({
    Dockerfile: `FROM busybox\nRUN ${MOUNT} cat /root/.npm/l && stat -c %a /root/.npm/d/f\n`,
  });
  const built = await other.berth(["build", "--progress", "plain", reader.path]);
  expect(built.stderr).toMatch(/ kept\n#\d+ [\d.]+ 600\n/);
  expect(await engine.ok(["builder", "cache-mount", "rm", "npm"])).toBe("npm");
  expect(await rows(engine)).toBe("");
  const missing = await engine.berth(["builder", "cache-mount", "export", "npm", "-o", tar]);
  expect(missing.stderr).toContain('no cache mount "npm"');
});

test("a prune takes caches that no step uses; a bad tar replaces nothing", async () => {
  expect(await rows(other)).toContain("npm /root/.npm");
  const bad = join(directory, "bad.tar");
  writeFileSync(bad, "this is no tar archive at all, whatever its name says".repeat(40));
  expect((await other.berth(["builder", "cache-mount", "import", "npm", "-i", bad])).exitCode).toBe(1);
  const tar = join(directory, "again.tar");
  await other.ok(["builder", "cache-mount", "export", "npm", "-o", tar]);
  expect((await run("tar", ["-tf", tar])).stdout).toContain("d/f");
  await using context = makeContext({ Dockerfile: `FROM busybox\nRUN ${MOUNT} touch /root/.npm/now && sleep 2\n` });
  const running = other.berth(["build", "--progress", "plain", context.path]);
  while (!(await other.ok(["builder", "cache-mount", "ls", "--format", "{{.InUse}}"])).includes("true"))
    await Bun.sleep(20);
  expect((await other.berth(["builder", "cache-mount", "rm", "npm"])).stderr).toContain("a build step is using it");
  await other.ok(["builder", "prune", "-af", "--filter", "type=exec.cachemount"]);
  expect(await rows(other)).toContain("npm");
  expect((await running).exitCode).toBe(0);
  await other.ok(["builder", "prune", "-af", "--filter", "type=exec.cachemount"]);
  expect(await rows(other)).toBe("");
}, 120_000);
