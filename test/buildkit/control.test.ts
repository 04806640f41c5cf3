import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http2";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { ConnectError, ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { ByteStream } from "#buildkit/session/byte-stream.ts";
import { Auth } from "#proto/auth_pb.ts";
import { Control } from "#proto/control_pb.ts";
import { FileSend, FileSync } from "#proto/filesync_pb.ts";
import type { PacketSchema, StatSchema } from "#proto/fsutil_pb.ts";
import { LLBBridge } from "#proto/gateway_pb.ts";
import { Health } from "#proto/health_pb.ts";
import { connectControl, openSession, serveDirectories } from "../../tools/harness/buildkit-client.ts";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

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

const FILE_SYNC = "/moby.filesync.v1.FileSync/DiffCopy";

interface BuildxBuild {
  readonly context: string;
  readonly exporters?: readonly { readonly type: string; readonly attrs: Record<string, string> }[];
  readonly options?: Record<string, string>;
  readonly sent?: string[];
  /** Files that the client is sent as output. */
  readonly received?: Uint8Array[];
}

interface Outcome {
  readonly ref: string;
  readonly response?: Record<string, string>;
  readonly error?: ConnectError;
  readonly log: string;
  readonly vertexes: ReadonlySet<string>;
  readonly session: Duplex;
}

/** The calls of `docker buildx build`, in their order. https://github.com/docker/buildx/blob/master/build/build.go */
async function buildxBuild(build: BuildxBuild): Promise<Outcome> {
  const ref = newId();
  const sessionId = newId();
  const controlApi = control.client(Control);
  const gateway = control.client(LLBBridge);
  const options = { headers: { "buildkit-controlapi-buildid": ref } };
  const session = await openSession(engine.socket, {
    id: sessionId,
    sharedKey: build.context,
    methods: [FILE_SYNC, ...(build.received ? ["/moby.filesync.v1.FileSend/DiffCopy"] : [])],
    routes: (router) => {
      serveDirectories(router, { context: build.context, dockerfile: build.context }, build.sent);
      router.service(Auth, { credentials: () => ({}) });
      router.service(Health, { check: () => ({ status: 1 }) });
      if (build.received) {
        router.service(FileSend, {
          // biome-ignore lint/correctness/useYield: it answers with nothing.
          async *diffCopy(messages) {
            for await (const { data } of messages) build.received?.push(data);
          },
        });
      }
    },
  });
  const exporters = build.exporters?.map((exporter) => ({ ...exporter })) ?? [];
  const solving = controlApi.solve({ ref, session: sessionId, exporters, cache: {} }).then(
    ({ exporterResponse }) => ({ response: exporterResponse }),
    (error: ConnectError) => ({ error }),
  );
  let log = "";
  const vertexes = new Set<string>();
  const following = (async () => {
    for await (const status of controlApi.status({ ref })) {
      for (const { msg } of status.logs) log += Buffer.from(msg).toString();
      for (const { name } of status.vertexes) vertexes.add(name);
    }
  })();
  const pong = await gateway.ping({}, options);
  expect(pong.frontendApiCaps.map(({ id }) => id)).toContain("gateway.solve.evaluate");
  try {
    const { result } = await gateway.solve(
      {
        frontend: "dockerfile.v0",
        frontendOpt: {
          "image-resolve-mode": "local",
          "attest:provenance": "mode=min,inline-only=true",
          ...build.options,
        },
        allowResultReturn: true,
        allowResultArrayRef: true,
        evaluate: true,
      },
      options,
    );
    await gateway.return({ result: { ...(result?.result ? { result: result.result } : {}) } }, options);
  } catch (error) {
    await gateway.return({ error: { code: 2, message: (error as ConnectError).rawMessage } }, options);
  }
  const outcome = await solving;
  await following;
  session.destroy();
  return { ...outcome, ref, log, vertexes, session };
}

describe("POST /grpc: the calls of docker buildx build", () => {
  test("builds into the engine's store, reports progress, and sends nothing twice", async () => {
    await using context = makeContext({
      Dockerfile: "FROM busybox\nARG WHO=nobody\nCOPY a.txt dir /to/\nRUN echo built for $WHO\n",
      "a.txt": "a",
      "dir/b.txt": "b",
      "unused.bin": Buffer.alloc(100_000),
    });
    const sent: string[] = [];
    const build = {
      context: context.path,
      sent,
      exporters: [{ type: "moby", attrs: { name: "docker.io/library/buildx-made:latest" } }],
      options: { "build-arg:WHO": "me", "label:a": "b" },
    };
    const first = await buildxBuild(build);
    expect(first.error).toBeUndefined();
    expect(first.response).toMatchObject({ "image.name": "docker.io/library/buildx-made:latest" });
    const id = await engine.ok(["images", "-q", "--no-trunc", "buildx-made"]);
    expect(first.response?.["containerimage.config.digest"]).toBe(id);
    expect(first.log).toContain("built for me\n");
    expect([...first.vertexes]).toContain("[internal] load build definition from Dockerfile");
    expect([...sent].sort()).toEqual(["Dockerfile", "a.txt", "dir/b.txt"]);
    const records = control.client(Control).listenBuildHistory({ ref: first.ref, earlyExit: true });
    const [event] = await Array.fromAsync(records);
    expect(event).toMatchObject({ type: 1, record: { ref: first.ref, numTotalSteps: 3 } });
    sent.length = 0;
    writeFileSync(join(context.path, "a.txt"), "changed");
    expect((await buildxBuild(build)).error).toBeUndefined();
    expect(sent).toEqual(["Dockerfile", "a.txt"]);
    expect(await engine.ok(["run", "--rm", "buildx-made", "cat", "/to/a.txt", "/to/b.txt"])).toBe("changedb");
  });

  test("sends the image as an archive to the client", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\nCMD echo archived\n" });
    const received: Uint8Array[] = [];
    const exporters = [{ type: "docker", attrs: { name: "archived" } }];
    expect((await buildxBuild({ context: context.path, exporters, received })).error).toBeUndefined();
    expect(await engine.ok(["images", "-q", "archived"])).toBe("");
    await engine.ok(["load"], { input: Buffer.concat(received) });
    expect(await engine.ok(["run", "--rm", "archived"])).toBe("archived");
  });

  test("fails with the step's message, and refuses what it does not do", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\nRUN echo it broke; exit 3\n" });
    const failed = await buildxBuild({ context: context.path });
    expect(failed.error?.rawMessage).toContain(
      'process "/bin/sh -c echo it broke; exit 3" did not complete successfully',
    );
    expect(failed.log).toContain("it broke");
    const cases: readonly (readonly [Partial<BuildxBuild>, string])[] = [
      [{ exporters: [{ type: "local", attrs: {} }] }, "the client takes no files"],
      [{ exporters: [{ type: "ipfs", attrs: {} }] }, 'exporter "ipfs" could not be found'],
      [{ exporters: [{ type: "image", attrs: { push: "true" } }] }, "tag is needed when pushing to registry"],
      [{ options: { "attest:x": "" } }, "unknown attestation type: x"],
      [{ options: { "some-option": "1" } }, "some-option=1"],
      [{ options: { filename: "../../../etc/passwd" } }, "failed to read dockerfile"],
    ];
    for (const [build, message] of cases) {
      const { error } = await buildxBuild({ context: context.path, ...build });
      expect(error?.rawMessage).toContain(message);
    }
  }, 120_000);

  test("ResolveImageConfig and ResolveSourceMeta answer for images that are here", async () => {
    const gateway = control.client(LLBBridge);
    const id = await engine.ok(["images", "-q", "--no-trunc", "busybox"]);
    const { digest, config } = await gateway.resolveImageConfig({ ref: "docker.io/library/busybox:latest" });
    expect(digest).toBe(id);
    expect(JSON.parse(Buffer.from(config).toString())).toMatchObject({ os: "linux", config: { Cmd: ["sh"] } });
    const source = { identifier: "docker-image://docker.io/library/busybox:latest" };
    expect((await gateway.resolveSourceMeta({ source })).image?.digest).toBe(id);
    const missing = await gateway
      .resolveImageConfig({ ref: "nowhere" })
      .catch((error: ConnectError) => error.rawMessage);
    expect(missing).toContain("No such image: nowhere");
  });
});

describe("the control API", () => {
  test("a session may come as a gRPC call", async () => {
    await using context = makeContext({
      Dockerfile: "FROM busybox\nCOPY a.txt /\nRUN cat /a.txt\n",
      "a.txt": "tunnelled",
    });
    const sessionId = newId();
    const headers = { "x-docker-expose-session-uuid": sessionId, "x-docker-expose-session-grpc-method": FILE_SYNC };
    const stream = new ByteStream((outgoing) => control.client(Control).session(outgoing, { headers }));
    stream.on("error", () => undefined);
    const routes = (router: ConnectRouter): void =>
      serveDirectories(router, { context: context.path, dockerfile: context.path });
    createServer(connectNodeAdapter({ routes })).emit("connection", stream);
    const exporters = [{ type: "image", attrs: { name: "tunnelled" } }];
    const api = control.client(Control);
    await api.solve({ ref: newId(), session: sessionId, frontend: "dockerfile.v0", exporters });
    expect(await engine.ok(["run", "--rm", "tunnelled", "cat", "/a.txt"])).toBe("tunnelled");
    stream.destroy();
  });

  test("tells its worker, its cache and its builds, and prunes", async () => {
    const api = control.client(Control);
    const { record } = await api.listWorkers({});
    expect(record).toHaveLength(1);
    expect(record[0]?.labels["org.mobyproject.buildkit.worker.moby.host-gateway-ip"]).toMatch(/^\d+\.\d+\.\d+\.1$/);
    expect((await api.info({})).buildkitVersion?.version).toMatch(/^v0\.\d+/);
    expect((await control.client(Health).check({})).status).toBe(1);
    const watching = new AbortController();
    for await (const { status } of control.client(Health).watch({}, { signal: watching.signal })) {
      expect(status).toBe(1);
      break;
    }
    watching.abort();
    const usage = await api.diskUsage({});
    expect(usage.record.length).toBeGreaterThan(0);
    const [some] = usage.record;
    const filtered = await api.diskUsage({ filter: [`id~=^${some?.id.slice(0, 10)}`] });
    expect(filtered.record.map(({ id }) => id)).toEqual([some?.id ?? ""]);
    expect((await api.diskUsage({ ageLimit: 3_600_000_000_000n })).record).toHaveLength(0);
    const history = [];
    for await (const event of api.listenBuildHistory({ earlyExit: true })) history.push(event);
    expect(history.some((event) => event.record?.frontend === "dockerfile.v0")).toBe(true);
    const [latest] = history;
    const pinned = async (): Promise<boolean | undefined> => {
      for await (const { record } of api.listenBuildHistory({ ref: latest?.record?.ref ?? "", earlyExit: true }))
        return record?.pinned;
      return undefined;
    };
    await api.updateBuildHistory({ ref: latest?.record?.ref ?? "", pinned: true });
    expect(await pinned()).toBe(true);
    await api.updateBuildHistory({ ref: latest?.record?.ref ?? "", pinned: false });
    expect(await pinned()).toBe(false);
    await api.updateBuildHistory({ ref: latest?.record?.ref ?? "", delete: true });
    const live = new AbortController();
    const told: (readonly [number, string])[] = [];
    const listening = (async () => {
      for await (const { type, record } of api.listenBuildHistory({}, { signal: live.signal }))
        told.push([type, record?.ref ?? ""]);
    })().catch(() => undefined);
    await engine.ok(["build", "-q", "--no-cache", "-"], { input: "FROM busybox\nRUN true\n" });
    const [begun] = told.filter(([type]) => type === 0).slice(-1);
    expect(told).toContainEqual([1, begun?.[1] ?? "none"]);
    await api.updateBuildHistory({ ref: begun?.[1] ?? "", delete: true });
    while (!told.some(([type]) => type === 2)) await Bun.sleep(10);
    live.abort();
    await listening;
    const pruned = [];
    for await (const entry of api.prune({ all: true })) pruned.push(entry.id);
    expect(pruned.length).toBeGreaterThan(0);
    expect((await api.diskUsage({})).record).toHaveLength(0);
  });
});

type Out = import("@bufbuild/protobuf").MessageInitShape<typeof PacketSchema>;
type OutStat = import("@bufbuild/protobuf").MessageInitShape<typeof StatSchema>;

describe("a client that misbehaves", () => {
  const file = (path: string, more: OutStat = {}): Out => ({ type: 0, stat: { path, mode: 0o644, size: 1n, ...more } });
  const directory = (path: string): Out => file(path, { mode: 0x8000_01ed, size: 0n });

  /** Builds with a client whose context is what `packets` says. */
  async function buildWith(
    packets: () => AsyncIterable<Out>,
    onOpen: (session: Duplex) => void = () => undefined,
  ): Promise<string> {
    const sessionId = newId();
    const session = await openSession(engine.socket, {
      id: sessionId,
      methods: [FILE_SYNC],
      routes: (router) => {
        router.service(FileSync, {
          async *diffCopy(requests, { requestHeader }) {
            const isDockerfile = requestHeader.get("dir-name") === "dockerfile";
            const isIgnore = requestHeader.get("followpaths") === ".dockerignore";
            if (!isDockerfile && !isIgnore) return yield* packets();
            const text = Buffer.from("FROM scratch\nCOPY . /\n");
            if (isDockerfile) yield file("Dockerfile", { size: BigInt(text.length) });
            yield { type: 0 };
            for await (const { type, id } of requests) {
              if (type === 1)
                yield* [
                  { type: 2, id, data: text },
                  { type: 2, id },
                ];
              else return yield { type: 3 };
            }
          },
        });
      },
    });
    onOpen(session);
    const solved = control.client(Control).solve({ ref: newId(), session: sessionId, frontend: "dockerfile.v0" });
    const message = await solved.then(
      () => "built",
      (error: ConnectError) => error.rawMessage,
    );
    session.destroy();
    return message;
  }

  test("hostile descriptions of a context are refused", async () => {
    const cases: readonly (readonly [readonly Out[], string])[] = [
      [[file("../out"), { type: 0 }], "is no path within it"],
      [[file("/etc/passwd"), { type: 0 }], "is no path within it"],
      [[directory("a"), file("a/../../b"), { type: 0 }], "is no path within it"],
      [[file("a\0b"), { type: 0 }], "is no path within it"],
      [[file("a".repeat(5000)), { type: 0 }], "is no path within it"],
      [[file("nowhere/b"), { type: 0 }], "has no parent directory"],
      [[file("a"), file("a"), { type: 0 }], "is not in order"],
      [[file("a"), file("b", { linkname: "../../etc/shadow" }), { type: 0 }], "hard link"],
      [[file("a", { size: -1n }), { type: 0 }], "number out of range"],
      [[{ type: 2, id: 0, data: Buffer.from("x") }], "out of turn"],
      [[file("a"), { type: 0 }, { type: 2, id: 7, data: Buffer.from("x") }], "not asked for"],
      [[file("a"), { type: 0 }, { type: 2, id: 0, data: Buffer.from("xx") }], "grew while it was read"],
      [[file("a"), { type: 0 }, { type: 2, id: 0 }], "shrank while it was read"],
      [[{ type: 4, data: Buffer.from("no such directory") }], "error from sender: no such directory"],
    ];
    for (const [packets, message] of cases) {
      expect(
        await buildWith(async function* () {
          yield* packets;
        }),
      ).toContain(message);
    }
  }, 120_000);

  test("a link out of the context stays a link in the image", async () => {
    const message = await buildWith(async function* () {
      yield file("out", { mode: 0x0800_01ff, linkname: "/etc/passwd" });
      yield { type: 0 };
      yield { type: 3 };
    });
    expect(message).toBe("built");
  });

  test("a session that vanishes ends its step", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\nRUN echo started; sleep 8765\n" });
    const sessionId = newId();
    const ref = newId();
    const session = await openSession(engine.socket, {
      id: sessionId,
      methods: [FILE_SYNC],
      routes: (router) => serveDirectories(router, { context: context.path, dockerfile: context.path }),
    });
    const solved = control
      .client(Control)
      .solve({ ref, session: sessionId, frontend: "dockerfile.v0" })
      .then(
        () => "built",
        (error: ConnectError) => error.rawMessage,
      );
    for await (const { logs } of control.client(Control).status({ ref })) {
      if (logs.length > 0) session.destroy();
    }
    expect(await solved).toContain("context canceled");
  }, 120_000);

  test("a session that vanishes within a transfer leaves nothing of it", async () => {
    const packs = async (): Promise<string> =>
      (await run("find", [join(engine.dataRoot, "contexts"), "-name", "*.pack"])).stdout;
    const before = await packs();
    let session: Duplex | undefined;
    const message = await buildWith(
      async function* () {
        yield file("a", { size: 1_000_000n });
        yield { type: 0 };
        yield { type: 2, id: 0, data: Buffer.alloc(1000) };
        session?.destroy();
      },
      (opened) => {
        session = opened;
      },
    );
    expect(message).toContain("context canceled");
    expect(await packs()).toBe(before);
  });

  test("sessions without an id, of a known id, or of another protocol are refused", async () => {
    const routes = (): void => undefined;
    const post = async (headers: Record<string, string>): Promise<string> => {
      const response = await fetch("http://engine/session", { unix: engine.socket, method: "POST", headers });
      return `${response.status} ${await response.text()}`;
    };
    expect(await post({})).toMatch(/^400 .*no upgrade proto in request/);
    expect(await post({ "X-Docker-Expose-Session-Uuid": "a" })).toMatch(/^400 .*no upgrade proto in request/);
    const id = newId();
    const session = await openSession(engine.socket, { id, methods: [], routes });
    const ended = Promise.withResolvers<void>();
    const second = await openSession(engine.socket, { id, methods: [], routes });
    second.once("close", () => ended.resolve());
    await ended.promise;
    session.destroy();
  });
});
