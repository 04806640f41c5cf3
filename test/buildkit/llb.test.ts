/** Definitions of LLB, sent as a client without a frontend would. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { digestOf } from "#formats/digest.ts";
import { Control } from "#proto/control_pb.ts";
import { OpSchema } from "#proto/ops_pb.ts";
import { connectControl, openSession, serveDirectories } from "../../tools/harness/buildkit-client.ts";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

type Operation = NonNullable<MessageInitShape<typeof OpSchema>["op"]>;

let engine: PrivateEngine;
let control: Awaited<ReturnType<typeof connectControl>>;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  control = await connectControl(engine.socket);
}, 120_000);

afterAll(async () => {
  control.close();
  await engine.close();
}, 120_000);

const newId = (): string => randomBytes(32).toString("hex").slice(0, 25);

/** Marshals operations; each takes the inputs of those before it, by their place. The last one's output is the result. */
function define(operations: readonly { readonly op: Operation; readonly of?: readonly number[] }[]): Uint8Array[] {
  const digests: string[] = [];
  const bytes = operations.map(({ of = [], op }) => {
    const inputs = of.map((place) => ({ digest: digests[place] ?? "" }));
    const marshalled = toBinary(OpSchema, create(OpSchema, { op, inputs }));
    digests.push(digestOf(marshalled));
    return marshalled;
  });
  return [...bytes, toBinary(OpSchema, create(OpSchema, { inputs: [{ digest: digests.at(-1) ?? "" }] }))];
}

async function solve(
  def: Uint8Array[],
  name: string,
  directory: string,
  metadata: Record<string, { readonly ignoreCache: boolean }> = {},
): Promise<string> {
  const session = newId();
  const connection = await openSession(engine.socket, {
    id: session,
    methods: ["/moby.filesync.v1.FileSync/DiffCopy"],
    routes: (router) => serveDirectories(router, { files: directory }),
  });
  try {
    const exporters = [{ type: "image", attrs: { name } }];
    const { exporterResponse } = await control
      .client(Control)
      .solve({ ref: newId(), session, definition: { def, metadata }, exporters });
    return exporterResponse["containerimage.config.digest"] ?? "";
  } catch (error) {
    return (error as ConnectError).rawMessage;
  } finally {
    connection.destroy();
  }
}

test("Control.Solve builds definitions of sources, commands, files and merges", async () => {
  await using files = makeContext({ "a.txt": "from the client", "dir/b.txt": "b" });
  const def = define([
    { op: { case: "source", value: { identifier: "docker-image://docker.io/library/busybox:latest" } } },
    {
      op: {
        case: "source",
        value: { identifier: "local://files", attrs: { "local.excludepatterns": '["*.out"]' } },
      },
    },
    {
      of: [0, 1],
      op: {
        case: "exec",
        value: {
          meta: {
            args: ["sh", "-c", 'cat /src/a.txt > out; ls /src >> out; echo "$A" >> out; id -u >> out'],
            env: ["A=it's $5", "PATH=/bin"],
            cwd: "/tmp/work",
            user: "0",
          },
          mounts: [
            { input: 0n, dest: "/", output: 0n },
            { input: 1n, dest: "/src", output: -1n, readonly: true },
          ],
        },
      },
    },
    {
      of: [2, 1],
      op: {
        case: "file",
        value: {
          actions: [
            {
              input: 0n,
              secondaryInput: 1n,
              output: -1n,
              action: { case: "copy", value: { src: "/dir", dest: "/copied", mode: -1, createDestPath: true } },
            },
            {
              input: 2n,
              output: -1n,
              action: { case: "mkfile", value: { path: "/made file", mode: 0o640, data: Buffer.from("made\n") } },
            },
            {
              input: 3n,
              output: 0n,
              action: { case: "symlink", value: { oldpath: "/made file", newpath: "/copied/link" } },
            },
          ],
        },
      },
    },
    {
      op: {
        case: "file",
        value: {
          actions: [
            { input: -1n, output: 0n, action: { case: "mkfile", value: { path: "/merged", data: Buffer.from("m") } } },
          ],
        },
      },
    },
    { of: [3, 4], op: { case: "merge", value: { inputs: [{ input: 0n }, { input: 1n }] } } },
  ]);
  expect(await solve(def, "llb-made", files.path)).toMatch(/^sha256:[0-9a-f]{64}$/);
  const script = "cat /tmp/work/out /copied/b.txt /copied/link /merged; stat -c %a '/made file'";
  expect((await engine.ok(["run", "--rm", "llb-made", "sh", "-c", script])).split("\n")).toEqual([
    "from the clienta.txt",
    "dir",
    "it's $5",
    "0",
    "bmade",
    "m640",
  ]);
  const before = await engine.ok(["build", "history", "ls", "-q"]);
  expect(await solve(define([{ op: { case: "build", value: {} } }]), "none", files.path)).toContain(
    "build is not supported",
  );
  expect(await solve([new Uint8Array([255])], "none", files.path)).toContain("invalid LLB definition");
  expect(await engine.ok(["build", "history", "ls", "-q"])).toBe(before);
}, 120_000);

type Actions = NonNullable<Extract<Operation, { readonly case: "file" }>["value"]["actions"]>;
const BUSYBOX: Operation = {
  case: "source",
  value: { identifier: "docker-image://docker.io/library/busybox:latest" },
};
const file = (actions: Actions): Operation => ({ case: "file", value: { actions } });
const mkfile = (path: string, data: string, input = -1n): Actions[number] => ({
  input,
  output: 0n,
  action: { case: "mkfile", value: { path, mode: 0o644, data: Buffer.from(data) } },
});
const remove = (path: string, more: Partial<{ allowNotFound: boolean; allowWildcard: boolean }> = {}): Operation =>
  file([{ input: 0n, output: 0n, action: { case: "rm", value: { path, ...more } } }]);
const owner = (user: number, group: number): object => ({
  user: { user: { case: "byId", value: user } },
  group: { user: { case: "byId", value: group } },
});
const inShell = (script: string, mounts: readonly object[] = []): Operation => ({
  case: "exec",
  value: {
    meta: { args: ["sh", "-c", script], env: ["PATH=/bin"], cwd: "/" },
    mounts: [{ input: 0n, dest: "/", output: 0n }, ...mounts],
  },
});

test("merge, diff and rm work on whole layers, and leave no image behind", async () => {
  await using files = makeContext({});
  const images = await engine.ok(["images", "-aq"]);
  const changing = "mkdir -p /etc/d /var; echo new > /etc/d/new; rm /etc/group; ln -s /etc /var/conf";
  const def = define([
    { op: BUSYBOX },
    { of: [0], op: inShell(changing) },
    // What the command changed, upon another root.
    { of: [0, 1], op: { case: "diff", value: { lower: { input: 0n }, upper: { input: 1n } } } },
    { of: [0], op: inShell("mkdir /etc/d; echo old > /etc/d/old") },
    { of: [3, 2], op: { case: "merge", value: { inputs: [{ input: 0n }, { input: 1n }] } } },
    { of: [4], op: remove("/var/conf/pass*", { allowWildcard: true }) },
    { of: [5], op: remove("/nowhere/x", { allowNotFound: true }) },
    {
      of: [6],
      op: file([
        {
          input: 0n,
          output: -1n,
          action: { case: "mkdir", value: { path: "/s/t", mode: 0o1770, makeParents: true, owner: owner(7, 8) } },
        },
        { ...mkfile("/s/t/f", "f", 1n) },
      ]),
    },
  ]);
  expect(await solve(def, "llb-layers", files.path)).toMatch(/^sha256:/);
  const script =
    "cat /etc/d/new /etc/d/old; ls /etc | grep -E '^(d|passwd|group)$'; stat -c '%a %u:%g' /s /s/t /etc /etc/d; readlink /var/conf; cat /s/t/f";
  expect((await engine.ok(["run", "--rm", "llb-layers", "sh", "-c", script])).split("\n")).toEqual([
    "new",
    "old",
    "d",
    "1770 7:8",
    "1770 7:8",
    "755 0:0",
    "755 0:0",
    "/etc",
    "f",
  ]);
  await engine.ok(["rmi", "llb-layers"]);
  expect(await engine.ok(["images", "-aq"])).toBe(images);
  const missing = define([{ op: BUSYBOX }, { of: [0], op: remove("/nowhere") }]);
  expect(await solve(missing, "none", files.path)).toContain("failed to rm /nowhere: no such file or directory");
}, 60_000);

test("a diff of unrelated roots compares their files, and a command gives its mounts", async () => {
  await using files = makeContext({});
  const one = file([mkfile("/same", "same"), mkfile("/gone", "x", 0n), mkfile("/changed", "1", 1n)]);
  const other = file([mkfile("/changed", "2"), mkfile("/same", "same", 0n), mkfile("/added", "a", 1n)]);
  const def = define([
    { op: one },
    { op: other },
    { of: [0, 1], op: { case: "diff", value: { lower: { input: 0n }, upper: { input: 1n } } } },
    { op: BUSYBOX },
    {
      of: [3, 2],
      op: inShell("ls /in > /out/names; cat /in/changed >> /out/names", [
        { input: 1n, dest: "/in", output: -1n, readonly: true },
        { input: -1n, dest: "/out", output: 1n },
      ]),
    },
  ]);
  const last = toBinary(OpSchema, create(OpSchema, { inputs: [{ digest: digestOf(def[4] ?? ""), index: 1n }] }));
  expect(await solve([...def.slice(0, -1), last], "llb-mount", files.path)).toMatch(/^sha256:/);
  const listed = await engine
    .ok(["create", "--name", "mount", "llb-mount", "x"])
    .then(() => engine.berth(["export", "mount"]));
  expect(listed.stdout).toContain("added\nchanged\n2");
  expect(listed.stdout).not.toContain("busybox");
  await engine.ok(["rm", "mount"]);
}, 60_000);

test("a command has the host name, hosts, limits, proxies and exit codes that it asks for", async () => {
  await using files = makeContext({});
  const meta = {
    args: [
      "sh",
      "-c",
      "hostname > /out; grep told /etc/hosts >> /out; ulimit -n >> /out; echo $http_proxy $HTTP_PROXY >> /out; exit 3",
    ],
    env: ["PATH=/bin"],
    cwd: "/",
    hostname: "named",
    extraHosts: [{ host: "told.example", ip: "192.0.2.7" }],
    ulimit: [{ name: "nofile", soft: 321n, hard: 321n }],
    proxyEnv: { httpProxy: "http://proxy.example:1" },
    validExitCodes: [0, 3],
  };
  const run = (given: object): Operation => ({
    case: "exec",
    value: { meta: { ...meta, ...given }, mounts: [{ input: 0n, dest: "/", output: 0n }] },
  });
  expect(await solve(define([{ op: BUSYBOX }, { of: [0], op: run({}) }]), "llb-meta", files.path)).toMatch(/^sha256:/);
  expect((await engine.ok(["run", "--rm", "llb-meta", "cat", "/out"])).split("\n")).toEqual([
    "named",
    "192.0.2.7\ttold.example",
    "321",
    "http://proxy.example:1 http://proxy.example:1",
  ]);
  const failing = define([{ op: BUSYBOX }, { of: [0], op: run({ validExitCodes: [] }) }]);
  expect(await solve(failing, "none", files.path)).toContain("exit code: 3");
}, 60_000);

test("copies take patterns, symbolic modes, archives and times, and owners have names", async () => {
  await using files = makeContext({
    "a.txt": "a",
    "b.md": "b",
    "dir/c.txt": "c",
    "dir/skip.txt": "s",
    "dir/#x.txt": "x",
  });
  await run("tar", ["-C", files.path, "-czf", join(files.path, "all.tgz"), "a.txt", "dir"]);
  const copy = (dest: string, input: bigint, output: bigint, value: object): Actions[number] => ({
    input,
    secondaryInput: 1n,
    output,
    action: {
      case: "copy",
      value: { src: "/", dest, mode: -1, dirCopyContents: true, createDestPath: true, ...value },
    },
  });
  const byName = (name: string): object => ({ user: { case: "byName", value: { name, input: 0n } } });
  const app = { user: byName("app"), group: byName("root") };
  const include = { includePatterns: ["**/*.txt"], excludePatterns: ["dir/skip.txt", "#x.txt", "dir/#x.txt"] };
  const def = define([
    { op: BUSYBOX },
    { op: { case: "source", value: { identifier: "local://files" } } },
    {
      of: [0, 1],
      op: file([
        copy("/some", 0n, -1n, { ...include, modeStr: "go-r,u+x", timestamp: 86_400_000_000_000n, owner: app }),
        copy("/unpacked", 2n, -1n, { src: "/all.tgz", attemptUnpack: true }),
        {
          input: 3n,
          output: -1n,
          action: { case: "mkdir", value: { path: "/home/app", mode: 0o700, makeParents: true, owner: app } },
        },
        { input: 4n, output: 0n, action: { case: "mkfile", value: { path: "/home/app/f", mode: 0o600, owner: app } } },
      ]),
    },
  ]);
  expect(await solve(def, "llb-copies", files.path)).toMatch(/^sha256:/);
  const script =
    "cd /some; find . -type f | sort; stat -c '%a %U:%G %Y' a.txt; find /unpacked -type f | sort; stat -c '%a %U:%G' /home/app /home/app/f";
  expect((await engine.ok(["run", "--rm", "llb-copies", "sh", "-c", script])).split("\n")).toEqual([
    "./a.txt",
    "./dir/c.txt",
    "700 app:root 86400",
    "/unpacked/a.txt",
    "/unpacked/dir/#x.txt",
    "/unpacked/dir/c.txt",
    "/unpacked/dir/skip.txt",
    "700 app:root",
    "600 app:root",
  ]);
  const nobody = { user: byName("nobody-here") };
  const unknown = file([
    { input: 0n, output: 0n, action: { case: "mkdir", value: { path: "/x", mode: 0o700, owner: nobody } } },
  ]);
  expect(await solve(define([{ op: BUSYBOX }, { of: [0], op: unknown }]), "none", files.path)).toContain(
    "unable to find user nobody-here",
  );
}, 60_000);

test("what is marked to ignore the cache runs again, and what stands on the same does not", async () => {
  await using files = makeContext({});
  const def = define([
    { op: BUSYBOX },
    { of: [0], op: inShell("cat /proc/sys/kernel/random/uuid > /cached") },
    { of: [1], op: inShell("cat /proc/sys/kernel/random/uuid > /anew") },
  ]);
  const metadata = { [digestOf(def[2] ?? "")]: { ignoreCache: true } };
  const values = async (): Promise<readonly string[]> => {
    expect(await solve(def, "llb-anew", files.path, metadata)).toMatch(/^sha256:/);
    return (await engine.ok(["run", "--rm", "llb-anew", "cat", "/cached", "/anew"])).split("\n");
  };
  const [first, second] = [await values(), await values()];
  expect(second[0]).toBe(first[0] ?? "");
  expect(second[1]).not.toBe(first[1] ?? "");
}, 60_000);
