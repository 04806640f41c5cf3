import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

test("build --twice of steps that give the same says so, and leaves cache and store as they were", async () => {
  await using context = makeContext({ Dockerfile: "FROM busybox\nWORKDIR /app\nCOPY a /app/\nCMD sh\n", a: "1" });
  await engine.ok(["build", "-q", context.path]);
  const before = await engine.ok(["images", "-aq"]);
  const { stdout, exitCode } = await engine.berth(["build", "--twice", context.path]);
  expect([exitCode, stdout]).toEqual([
    0,
    "Built twice, the same 5 layers and configuration: only the times of creation differ (--build-arg SOURCE_DATE_EPOCH=… sets them)\n",
  ]);
  expect(await engine.ok(["images", "-aq"])).toBe(before);
  const fixed = await engine.berth(["build", "--twice", "--build-arg", "SOURCE_DATE_EPOCH=1", context.path]);
  expect([fixed.exitCode, fixed.stdout]).toEqual([0, expect.stringMatching(/^Built twice, the same image: sha256:/)]);
  expect((await engine.berth(["build", "--plan", context.path])).exitCode).toBe(0);
});

test("build --twice names the first file that differs, and how; exit code 2", async () => {
  await using context = makeContext({
    Dockerfile: "FROM busybox\nRUN touch -d @0 /a; cat /proc/sys/kernel/random/uuid > /b; touch -d @0 /b\n",
  });
  const { stdout, stderr, exitCode } = await engine.berth(["build", "--progress", "plain", "--twice", context.path]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("again: [2/2] RUN");
  expect(stdout).toMatch(
    /^Built twice, and layer 4 of 4 differs: RUN \/bin\/sh -c touch .*\nFirst file that differs: \/b\n - content: sha256:\w+ \(37 bytes\) → sha256:\w+ \(37 bytes\)\n$/,
  );
  // Only its time: the epoch with rewrite-timestamp makes it the same.
  await using timed = makeContext({ Dockerfile: "FROM busybox\nRUN sleep 0.01; echo a > /a; sleep 1\n" });
  const differs = await engine.berth(["build", "-q", "--twice", timed.path]);
  expect([differs.exitCode, differs.stdout]).toEqual([
    2,
    expect.stringMatching(/First file that differs: \/a\n - mtime: \S+Z → \S+Z\n$/),
  ]);
  const epoch = ["--build-arg", "SOURCE_DATE_EPOCH=1", "-o", "type=oci,dest=/dev/null,rewrite-timestamp=true"];
  const same = await engine.berth(["build", "-q", "--twice", ...epoch, timed.path]);
  expect([same.exitCode, same.stdout]).toEqual([0, expect.stringContaining("Built twice, the same image: ")]);
});

test("--no-cache-filter runs the steps of the named stages only", async () => {
  await using context = makeContext({
    Dockerfile: "FROM busybox AS a\nRUN echo a > /a\nFROM busybox AS b\nCOPY --from=a /a /\nRUN echo b > /b\n",
  });
  const build = async (...flags: string[]): Promise<string> =>
    (await engine.berth(["build", "--progress", "plain", ...flags, context.path])).stderr;
  await build();
  const again = await build("--no-cache-filter", "A");
  expect(again).toMatch(/\[a 2\/2\] RUN echo a > \/a\n#\d+ DONE/);
  expect(again).toMatch(/\[b 3\/3\] RUN echo b > \/b\n#\d+ CACHED/);
});

test("--squash makes one layer of the build's own, and keeps the base's", async () => {
  await using context = makeContext({
    Dockerfile:
      "FROM busybox\nRUN echo 1 > /a; echo 2 > /b; mkdir /etc/x; echo 3 > /etc/x/y\nRUN rm /a /etc/group; echo 4 > /b; rm -r /etc/x; mkdir /etc/x\nENV k=v\n",
  });
  const layers = async (image: string): Promise<string[]> =>
    JSON.parse(await engine.ok(["inspect", "-f", "{{json .RootFS.Layers}}", image])) as string[];
  await engine.ok(["build", "-q", "--squash", "-t", "squashed", context.path]);
  const [base, own] = [await layers("busybox"), await layers("squashed")];
  expect(own.slice(0, -1)).toEqual(base);
  const list = "ls /a /etc/group /etc/x /etc/x/y /etc/passwd 2>/dev/null; cat /b; echo $k";
  expect(await engine.ok(["run", "--rm", "--network", "none", "squashed", "sh", "-c", list])).toBe(
    "/etc/passwd\n\n/etc/x:\n4\nv",
  );
  expect(await engine.ok(["history", "--format", "{{.Comment}}", "squashed"])).toStartWith("merge of 2 layers\n");
});
