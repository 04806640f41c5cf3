/** Containers that a client runs in the results of its builds: NewContainer and ExecProcess, as `buildx debug --invoke` calls them. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { PushQueue } from "#lib/push-queue.ts";
import { Control } from "#proto/control_pb.ts";
import { type ExecMessageSchema, LLBBridge } from "#proto/gateway_pb.ts";
import { StatusSchema } from "#proto/rpc-status_pb.ts";
import { connectControl, openSession, serveDirectories } from "../../tools/harness/buildkit-client.ts";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

type Message = MessageInitShape<typeof ExecMessageSchema>;

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

/** A solve whose client is `work`; what it does belongs to that. */
async function inSolve(
  dockerfile: string,
  work: (options: { headers: Record<string, string> }) => Promise<void>,
): Promise<void> {
  await using files = makeContext({ Dockerfile: dockerfile });
  const [ref, session] = [newId(), newId()];
  const connection = await openSession(engine.socket, {
    id: session,
    methods: ["/moby.filesync.v1.FileSync/DiffCopy"],
    routes: (router) => serveDirectories(router, { context: files.path, dockerfile: files.path }),
  });
  const options = { headers: { "buildkit-controlapi-buildid": ref } };
  const solving = control
    .client(Control)
    .solve({ ref, session, exporters: [] })
    .then(
      () => undefined,
      () => undefined,
    );
  await work(options);
  await control.client(LLBBridge).return({ result: {} }, options);
  await solving;
  connection.destroy();
}

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | undefined;
  readonly message: string | undefined;
}

/** Runs processes in a container and hears how each goes. */
async function exec(
  options: { headers: Record<string, string> },
  messages: readonly Message[],
  /** Sent when a process has ended. */
  then: Readonly<Record<string, readonly Message[]>> = {},
): Promise<Record<string, Ended>> {
  const requests = new PushQueue<Message>();
  for (const message of messages) void requests.push(message);
  const ended: Record<string, Ended> = {};
  let open = messages.filter(({ input }) => input?.case === "init").length;
  for await (const { processId, input } of control.client(LLBBridge).execProcess(requests, options)) {
    const before = ended[processId] ?? { stdout: "", stderr: "", code: undefined, message: undefined };
    if (input.case === "file") {
      const stream = input.value.fd === 1 ? "stdout" : "stderr";
      ended[processId] = { ...before, [stream]: before[stream] + Buffer.from(input.value.data).toString() };
    } else if (input.case === "exit")
      ended[processId] = { ...before, code: input.value.code, message: input.value.error?.message };
    else if (input.case === "done") {
      for (const message of then[processId] ?? []) void requests.push(message);
      if (--open === 0) requests.end();
    }
  }
  return ended;
}

const init = (processId: string, args: readonly string[], more: object = {}): Message => ({
  processId,
  input: {
    case: "init",
    value: { containerId: "c", meta: { args: [...args], env: ["X=y"], cwd: "/w" }, fds: [0, 1, 2], ...more },
  },
});
const input = (processId: string, text: string): Message[] => [
  { processId, input: { case: "file", value: { fd: 0, data: Buffer.from(text) } } },
  { processId, input: { case: "file", value: { fd: 0, eof: true } } },
];

const evaluate = { frontend: "dockerfile.v0", allowResultReturn: true, allowResultArrayRef: true, evaluate: true };

test("a container has a result's files, several processes, input, signals, and goes with its solve", async () => {
  await inSolve("FROM busybox\nWORKDIR /w\nRUN echo made > file\n", async (options) => {
    const gateway = control.client(LLBBridge);
    const { result } = await gateway.solve(evaluate, options);
    const resultId = result?.result.case === "ref" ? result.result.value.id : "";
    await gateway.newContainer({ containerId: "c", mounts: [{ dest: "/", resultId }], network: 2 }, options);
    const started = [
      init("main", ["sh", "-c", "cat file; echo $X; cat; echo err >&2; exit 7"]),
      init("second", ["sh", "-c", "read line; echo got $line; exec sleep 1000"]),
      init("none", ["/no/such/program"]),
      init("third", ["sh", "-c", "cat"]),
      ...input("third", "third\n"),
      ...input("second", "typed\n"),
    ];
    const kill: Message = { processId: "second", input: { case: "signal", value: { name: "SIGKILL" } } };
    const heard = await exec(options, started, { third: [kill], second: input("main", "in\n") });
    expect(heard["main"]).toEqual({ stdout: "made\ny\nin\n", stderr: "err\n", code: 7, message: "exit code: 7" });
    expect(heard["third"]).toMatchObject({ stdout: "third\n", code: 0 });
    expect(heard["second"]?.code).toBeGreaterThan(0);
    expect(heard["none"]?.code).not.toBe(0);
    expect((await engine.ok(["ps", "-aq"])).split("\n")).toHaveLength(1);
    const failed = async (call: Promise<unknown>): Promise<Code> =>
      call.then(
        () => Code.Unknown,
        (error: ConnectError) => error.code,
      );
    const known = { containerId: "c", mounts: [{ dest: "/", resultId }] };
    expect(await failed(gateway.newContainer(known, options))).toBe(Code.AlreadyExists);
    expect(await failed(gateway.newContainer({ ...known, containerId: "d", network: 1 }, options))).toBe(
      Code.PermissionDenied,
    );
    expect(
      await failed(gateway.newContainer({ containerId: "d", mounts: [{ dest: "/", resultId: "x" }] }, options)),
    ).toBe(Code.NotFound);
    await gateway.releaseContainer({ containerId: "c" }, options);
    expect(await engine.ok(["ps", "-aq"])).toBe("");
    await gateway.newContainer(known, options);
    await exec(options, [init("again", ["true"])]);
  });
  while ((await engine.ok(["ps", "-aq"])) !== "") await Bun.sleep(20);
}, 60_000);

test("a failed command's error has its root and what it was given, for as long as the solve", async () => {
  const images = await engine.ok(["images", "-aq"]);
  await inSolve("FROM busybox\nENV A=b\nRUN echo left > /left; exit 3\n", async (options) => {
    const error = await control
      .client(LLBBridge)
      .solve(evaluate, options)
      .catch((failure: ConnectError) => failure);
    const header = (error as ConnectError).metadata.get("grpc-status-details-bin") ?? "";
    const { details } = fromBinary(StatusSchema, Buffer.from(header, "base64"));
    const solve = details.find(({ typeUrl }) => typeUrl.endsWith("errdefs.Solve+json"));
    const told = JSON.parse(Buffer.from(solve?.value ?? []).toString());
    expect(told.op.exec.meta).toMatchObject({ args: ["/bin/sh", "-c", "echo left > /left; exit 3"], cwd: "/" });
    expect(told.op.exec.meta.env).toContain("A=b");
    const mounts = [{ dest: "/", resultId: told.mountIDs[0] }];
    await control.client(LLBBridge).newContainer({ containerId: "c", mounts, network: 2 }, options);
    const heard = await exec(options, [init("look", ["cat", "/left"])]);
    expect(heard["look"]).toMatchObject({ stdout: "left\n", code: 0 });
  });
  while ((await engine.ok(["images", "-aq"])) !== images) await Bun.sleep(20);
}, 60_000);
