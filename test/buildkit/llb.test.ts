/** Definitions of LLB, sent as a client without a frontend would. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { digestOf } from "#formats/digest.ts";
import { Control } from "#proto/control_pb.ts";
import { OpSchema } from "#proto/ops_pb.ts";
import { connectControl, openSession, serveDirectories } from "../../tools/harness/buildkit-client.ts";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
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

async function solve(def: Uint8Array[], name: string, directory: string): Promise<string> {
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
      .solve({ ref: newId(), session, definition: { def }, exporters });
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
  expect(await solve(define([{ op: { case: "diff", value: {} } }]), "none", files.path)).toContain(
    "diff is not supported",
  );
  expect(await solve([new Uint8Array([255])], "none", files.path)).toContain("invalid LLB definition");
  expect(await engine.ok(["build", "history", "ls", "-q"])).toBe(before);
}, 120_000);
