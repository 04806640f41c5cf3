import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

/** An installer that takes its time, under npm's name. */
const DOCKERFILE = [
  "FROM busybox",
  "WORKDIR /app",
  "COPY npm /bin/",
  "ENV A=1",
  "ENV B=2",
  "COPY . .",
  "RUN npm ci",
  "RUN dd if=/dev/zero of=/tmp/scratch bs=1024 count=2048",
  "RUN rm /tmp/scratch && mkdir -p /var/cache/apk && dd if=/dev/zero of=/var/cache/apk/x bs=1024 count=1500",
  "",
].join("\n");

test("advice comes from recorded builds: order as a diff with its effect, context, layers", async () => {
  await using context = makeContext({
    Dockerfile: DOCKERFILE,
    npm: "#!/bin/sh\nsleep 0.5; cat package.json > /installed\n",
    "package.json": "{}",
    "app.js": "1",
    ".idea/workspace.xml": "x".repeat(3000),
  });
  const { chmodSync } = await import("node:fs");
  chmodSync(join(context.path, "npm"), 0o755);
  const nothing = await engine.ok(["build", "--advise", context.path]);
  expect(nothing).toContain("Steps: unknown, no recorded build of this ended well yet");
  expect(nothing).not.toContain("took");
  for (const content of ["1", "2", "3"]) {
    writeFileSync(join(context.path, "app.js"), content);
    await engine.ok(["build", "-q", context.path]);
  }
  const text = await engine.ok(["build", "--advise", context.path]);
  expect(text).toMatch(/^3 of 3 +\d+\.\ds +\[5\/7\] RUN npm ci$/m);
  expect(text).toMatch(/^1 of 3 +\d+\.\ds +\[3\/7\] COPY npm \/bin\/$/m);
  expect(text).toContain(
    " COPY npm /bin/\n-ENV A=1\n-ENV B=2\n+ENV A=1 \\\n+    B=2\n+COPY package.json ./\n+RUN npm ci\n COPY . .\n-RUN npm ci\n RUN dd",
  );
  const [, before = "", after = ""] =
    /The last 2 builds took (.*)s in steps; with this order: (.*)s\./.exec(text) ?? [];
  expect(Number(before) - Number(after)).toBeGreaterThan(0.9);
  expect(text).toContain(' - add ".idea" to .dockerignore: 3kB less');
  expect(text).toMatch(/\[7\/7\] RUN rm .*: 2\.097MB: deletes \/tmp\/scratch that \[6\/7\]/);
  expect(text).toMatch(/\[7\/7\] RUN rm .*: 1\.536MB: leaves the cache of apk in its layer/);
  const json: unknown = JSON.parse(await engine.ok(["build", "--advise", "--format", "json", context.path]));
  expect(json).toMatchObject({
    builds: 3,
    effect: { builds: 2 },
    proposals: [{ startLine: 6, endLine: 7 }, { startLine: 4 }],
  });
  // The Dockerfile that is proposed does what is promised.
  const better = DOCKERFILE.replace("COPY . .\nRUN npm ci", "COPY package.json ./\nRUN npm ci\nCOPY . .");
  writeFileSync(join(context.path, "Dockerfile"), better);
  await engine.ok(["build", "-q", context.path]);
  writeFileSync(join(context.path, "app.js"), "4");
  const { stderr } = await engine.berth(["build", "--progress", "plain", context.path]);
  expect(stderr).toMatch(/RUN npm ci\n#\d+ CACHED/);
}, 120_000);

test("a changed manifest saves nothing, an ARG that busts steps is pointed at", async () => {
  const file = "FROM busybox\nARG REV=0\nWORKDIR /app\nCOPY npm /bin/\nCOPY . .\nRUN npm ci\n";
  await using context = makeContext({ Dockerfile: file, npm: "#!/bin/sh\nsleep 0.3\n", "package.json": "1" });
  const { chmodSync } = await import("node:fs");
  chmodSync(join(context.path, "npm"), 0o755);
  await engine.ok(["build", "-q", context.path]);
  writeFileSync(join(context.path, "package.json"), "2");
  await engine.ok(["build", "-q", context.path]);
  const text = await engine.ok(["build", "--advise", context.path]);
  const [, before, after] = /The last build took (.*)s in steps; with this order: (.*)s\./.exec(text) ?? [];
  expect(after).toBe(before!);
  await engine.ok(["build", "-q", "--build-arg", "REV=1", context.path]);
  expect(await engine.ok(["build", "--advise", context.path])).toMatch(
    /ARG REV changed in 1 build and made steps run for \d+\.\ds/,
  );
  const bad = await engine.berth(["build", "--advise", "--plan", context.path]);
  expect(bad.stderr).toContain("not both");
}, 120_000);
