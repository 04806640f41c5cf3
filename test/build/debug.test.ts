import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

const FAILING = [
  "FROM busybox",
  "ARG VERSION=3",
  "ENV MODE=debug",
  "WORKDIR /work",
  "RUN --mount=type=cache,target=/cache,id=c --mount=type=tmpfs,target=/scratch echo kept > /cache/f; echo half > result; exit 4",
].join("\n");

test("a shell in the failed step's root, with its environment, directory and caches", async () => {
  expect((await engine.berth(["build", "debug"])).stderr).toContain("no build with a failed RUN is recorded");
  await using context = makeContext({ Dockerfile: FAILING });
  const failed = await engine.berth(["build", "--progress", "plain", context.path]);
  expect(failed.exitCode).toBe(1);
  const id = await engine.ok(["build", "history", "inspect", "--format", "{{.id}}"]);
  expect(failed.stderr).toContain(`berth build debug ${id}`);
  const images = await engine.ok(["images", "-aq"]);
  const shell = await engine.berth(["build", "debug"], {
    input: "pwd; cat result; echo $MODE $VERSION; cat /cache/f; mount | grep -c ' on /scratch '; exit 6\n",
  });
  expect(shell.stdout).toBe("/work\nhalf\ndebug 3\nkept\n1\n");
  expect(shell.exitCode).toBe(6);
  expect(shell.stderr).toContain(`[3/3] RUN --mount=type=cache`);
  expect(await engine.ok(["build", "debug", id, "--", "cat", "result"])).toBe("half");
  // The next failure takes its place, and frees what it kept.
  const layers = (): number => readdirSync(join(engine.dataRoot, "layers")).length;
  const before = layers();
  await using other = makeContext({ Dockerfile: FAILING.replace("half", "other half") });
  expect((await engine.berth(["build", other.path])).exitCode).toBe(1);
  // Blocks are given back a little later.
  for (const deadline = Date.now() + 10_000; layers() > before && Date.now() < deadline; ) await Bun.sleep(50);
  expect(layers()).toBe(before);
  expect((await engine.berth(["build", "debug", id])).stderr).toContain("is gone");
  expect(await engine.ok(["build", "debug", "--", "cat", "result"])).toBe("other half");
  // Nothing of it stays: no container, no image.
  expect(await engine.ok(["ps", "-aq"])).toBe("");
  expect(await engine.ok(["images", "-aq"])).toBe(images);
  expect(await engine.ok(["builder", "du", "--format", "{{.Description}}"])).toContain("failed: [3/3] RUN");
});

test("the root goes with a prune, and a build that ended well has none", async () => {
  await engine.ok(["builder", "prune", "-af"]);
  const pruned = await engine.berth(["build", "debug"]);
  expect(pruned.exitCode).toBe(1);
  expect(pruned.stderr).toContain("is gone: another build failed since, or the build cache was pruned");
  await using context = makeContext({ Dockerfile: "FROM busybox\nRUN true\n" });
  await engine.ok(["build", "-q", context.path]);
  const id = await engine.ok(["build", "history", "inspect", "--format", "{{.id}}"]);
  expect((await engine.berth(["build", "debug", id])).stderr).toContain("there is nothing to debug");
});
