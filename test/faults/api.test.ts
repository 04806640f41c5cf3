/** Bad input for every endpoint: Docker's status and message, an engine that stays up, and nothing half-made. The requests are data: api/. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import type { Engine } from "#engine/engine.ts";
import { engineRoutes } from "#server/engine-routes.ts";
import { Router } from "#server/route.ts";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { footprint } from "../../tools/harness/footprint.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { BUILD_FAULTS } from "./api/build-faults.ts";
import { CONTAINER_CREATE_FAULTS } from "./api/container-create-faults.ts";
import { CONTAINER_FAULTS } from "./api/container-faults.ts";
import type { Fault } from "./api/fault.ts";
import { HOST_CONFIG_FAULTS } from "./api/host-config-faults.ts";
import { IMAGE_FAULTS } from "./api/image-faults.ts";
import { NETWORK_FAULTS } from "./api/network-faults.ts";
import { SYSTEM_FAULTS } from "./api/system-faults.ts";
import { VOLUME_FAULTS } from "./api/volume-faults.ts";

const FAULTS = {
  "POST /containers/create": CONTAINER_CREATE_FAULTS,
  HostConfig: HOST_CONFIG_FAULTS,
  containers: CONTAINER_FAULTS,
  images: IMAGE_FAULTS,
  builds: BUILD_FAULTS,
  networks: NETWORK_FAULTS,
  volumes: VOLUME_FAULTS,
  "the engine": SYSTEM_FAULTS,
};

/** Routes that read nothing of the request, so that none is wrong. */
const TAKE_NOTHING = [
  "GET /_ping",
  "HEAD /_ping",
  "GET /version",
  "GET /info",
  "GET /berth/system/check",
  "DELETE /berth/builds",
  "GET /berth/cache-mounts",
];

let engine: PrivateEngine;
let values: Readonly<Record<string, string>>;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  values = await makeThings();
}, 120_000);

afterAll(async () => {
  await engine.close();
  // What two mounts at one place name is made before they are refused together.
  for (const path of ["/tmp/bad-a", "/tmp/bad-c"]) rmSync(path, { recursive: true, force: true });
}, 120_000);

test("every route has a fault, or takes nothing that could be wrong", () => {
  const routes = engineRoutes({ builds: {} } as Engine, () => Promise.reject(new Error("not loaded")));
  const router = new Router(routes);
  const hit = new Set(
    Object.values(FAULTS)
      .flat()
      .map(({ call }) => {
        const [method = "", target = ""] = call.split(" ", 2);
        return router.match(method, target.replace(/\?.*$/, "").replace(/^\/v[\d.]+/, ""))?.handler;
      }),
  );
  const missing = routes.filter(([, , handler]) => !hit.has(handler)).map(([method, path]) => `${method} ${path}`);
  expect(missing.sort()).toEqual([...TAKE_NOTHING].sort());
});

describe("a bad request about", () => {
  test.each(Object.entries(FAULTS))(
    "%s has its status and message, and leaves nothing",
    async (_, faults) => {
      const before = await everything();
      const wrong: string[] = [];
      for (const fault of faults) {
        const problem = await check(fault);
        if (problem) wrong.push(problem);
      }
      expect(wrong).toEqual([]);
      expect(await everything()).toEqual(before);
    },
    120_000,
  );
});

/** What is wrong with the answer; undefined: nothing. */
async function check({ call, body, headers, status, message }: Fault): Promise<string | undefined> {
  const [method = "", target = ""] = call.split(/ (.*)/s, 2);
  const answer = await ask(method, filled(target), filledBody(body), headers);
  const expected = message.split(/(<\w+>)/).map((part) => ANY[part] ?? part.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&"));
  const isExpected = answer.status === status && new RegExp(`^${filled(expected.join(""))}$`).test(answer.message);
  return isExpected ? undefined : `${call} ${JSON.stringify(body) ?? ""}: ${answer.status} ${answer.message}`;
}

const ANY: Readonly<Record<string, string>> = { "<id>": "[0-9a-f]{64}", "<id12>": "[0-9a-f]{12}", "<any>": ".*" };

function filled(text: string): string {
  return text.replace(/\\?\{(\w+)\\?\}/g, (whole, name: string) => values[name] ?? whole);
}

function filledBody(body: unknown): string | undefined {
  if (body === undefined || typeof body === "string") return body;
  return filled(JSON.stringify(body));
}

interface Answer {
  readonly status: number;
  readonly message: string;
}

function ask(
  method: string,
  path: string,
  body?: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent =
      body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    const escaped = path.replace(/[ "[\]^{}]/g, (sign) => encodeURIComponent(sign));
    const asking = request({
      socketPath: engine.socket,
      method,
      path: escaped,
      headers: { ...sent, ...headers },
      agent: false,
    });
    asking.once("error", reject);
    asking.once("response", async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode ?? 0, message: messageOf(Buffer.concat(chunks).toString("utf8")) });
    });
    asking.end(body);
  });
}

function messageOf(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && "message" in parsed) return String(parsed.message).trim();
  } catch {
    // Not JSON: the text itself.
  }
  return text.trim();
}

/** A JSON answer of a call that must succeed. */
async function made(method: string, path: string, body?: unknown): Promise<string> {
  const { status, message } = await ask(method, path, body === undefined ? undefined : JSON.stringify(body));
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${message}`);
  return message;
}

const field = (text: string, name: string): string => new RegExp(`"${name}":"([^"]*)"`).exec(text)?.[1] ?? "";

/** Containers in each state, execs, a network, a volume: what the requests name. */
async function makeThings(): Promise<Readonly<Record<string, string>>> {
  const sleeper = { Image: "busybox", Cmd: ["sleep", "1000"] };
  await made("POST", "/networks/create", { Name: "net" });
  await made("POST", "/volumes/create", { Name: "vol" });
  const configs: Readonly<Record<string, object>> = {
    running: { Binds: ["vol:/vol"], NetworkMode: "net" },
    paused: {},
    onhost: { NetworkMode: "host" },
    nolog: { LogConfig: { Type: "none" } },
    stopped: {},
    stopped2: {},
  };
  const first = new Set<string>();
  for (const [name, HostConfig] of Object.entries(configs)) {
    first.add(field(await made("POST", `/containers/create?name=${name}`, { ...sleeper, HostConfig }), "Id").charAt(0));
    if (!name.startsWith("stopped")) await made("POST", `/containers/${name}/start`);
  }
  await made("POST", "/containers/paused/pause");
  let ambiguous = "";
  for (let index = 0; ambiguous === ""; index++) {
    const letter = field(await made("POST", `/containers/create?name=filler${index}`, sleeper), "Id").charAt(0);
    if (first.has(letter)) ambiguous = letter;
    first.add(letter);
  }
  const exec = async (request_: object): Promise<string> =>
    field(await made("POST", "/containers/running/exec", request_), "Id");
  const ended = await exec({ Cmd: ["true"] });
  await made("POST", `/exec/${ended}/start`, { Detach: true });
  while ((await made("GET", `/exec/${ended}/json`)).includes('"Running":true')) await Bun.sleep(10);
  return {
    ambiguous,
    ended,
    ready: await exec({ Cmd: ["true"] }),
    noprogram: await exec({ Cmd: ["nosuchprogram"] }),
    nouser: await exec({ Cmd: ["true"], User: "nouser" }),
    imageid: field(await made("GET", "/images/busybox/json"), "Id"),
    netsubnet: field(await made("GET", "/networks/net"), "Subnet"),
    long: "a".repeat(5000),
  };
}

/** Of the engine, mebibytes. */
function memory(): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${engine.pid}/status`, "utf8"))?.[1]) / 1024;
}

/** All that the engine has, as it says and as the kernel says. */
async function everything(): Promise<unknown> {
  const lists = [
    ["ps", "-a", "--format", "{{.Names}} {{.State}}"],
    ["network", "ls", "-q"],
    ["volume", "ls", "-q"],
    ["images", "-aq"],
  ];
  const told = await Promise.all(lists.map((args) => engine.ok(args)));
  return { told, held: await footprint(engine) };
}

describe("a client that does not speak HTTP as it should", () => {
  /** Sends bytes and reads until the engine ends the connection, or for so many milliseconds. */
  const talk = (bytes: string, milliseconds = 5000): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket: Socket = connect(engine.socket);
      let text = "";
      const timer = setTimeout(() => socket.destroy(), milliseconds);
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
      });
      socket.once("error", reject);
      socket.once("close", () => {
        clearTimeout(timer);
        resolve(text);
      });
      socket.write(bytes);
    });
  const statuses = (text: string): string[] =>
    [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status ?? "");
  const POST = "POST /containers/create?name=half HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

  test.each<[string, string, string[]]>([
    ["no HTTP at all", "hello\r\n\r\n", ["400"]],
    ["a chunk without a size", `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`, ["400"]],
    ["two lengths that differ", `${POST}Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}`, ["400"]],
    ["a length that is no number", `${POST}Content-Length: x\r\n\r\n{}`, ["400"]],
    [
      "both a length and chunks",
      `${POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
      ["400"],
    ],
  ])("gets 400 for %s", async (_, bytes, expected) => {
    expect(statuses(await talk(bytes))).toEqual(expected);
  });

  test("gets the answers to pipelined requests in their order", async () => {
    const paths = ["/info", "/containers/none/json", "/_ping", "/nope"];
    const text = await talk(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(""), 500);
    expect(statuses(text)).toEqual(["200", "404", "200", "404"]);
  });

  test("is refused a JSON body beyond all bounds, once it has sent it", async () => {
    const body = JSON.stringify({ Image: "x".repeat(32 * 1024 * 1024) });
    const before = memory();
    const answer = await ask("POST", "/containers/create?name=half", body);
    expect(answer).toEqual({ status: 400, message: "request body too large" });
    expect(memory() - before).toBeLessThan(100);
  }, 120_000);

  test("leaves nothing when it goes in the middle of a body, slow or not", async () => {
    const before = await everything();
    const body = JSON.stringify({ Image: "busybox" });
    const slow = connect(engine.socket);
    slow.write(`${POST}Content-Length: ${body.length}\r\n\r\n`);
    for (const letter of body.slice(0, -1)) {
      slow.write(letter);
      await Bun.sleep(2);
    }
    slow.destroy();
    const parts = [
      `${POST}Content-Length: 100\r\n\r\n{"Image":`,
      POST,
      `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\n{"Im`,
    ];
    for (const path of [
      "/images/load",
      "/build?t=half",
      "/containers/stopped/archive?path=/tmp",
      "/images/create?fromSrc=-&repo=half",
    ])
      parts.push(
        `${path.includes("archive") ? "PUT" : "POST"} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n${"\0".repeat(600)}`,
      );
    await Promise.all(parts.map((part) => talk(part, 150)));
    expect(await ask("GET", "/_ping")).toEqual({ status: 200, message: "OK" });
    const deadline = Date.now() + 30_000;
    while (Date.now() < deadline && !Bun.deepEquals(await everything(), before)) await Bun.sleep(50);
    expect(await everything()).toEqual(before);
  }, 120_000);

  test("may take a body slowly that comes whole in the end", async () => {
    const body = JSON.stringify({ Name: "slowly" });
    const text = new Promise<string>((resolve, reject) => {
      const socket = connect(engine.socket);
      let answer = "";
      socket.on("data", (chunk: Buffer) => {
        answer += chunk.toString("latin1");
      });
      socket.once("error", reject);
      socket.once("close", () => resolve(answer));
      socket.write(
        `POST /volumes/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
      );
      void (async () => {
        for (const letter of body) {
          socket.write(letter);
          await Bun.sleep(5);
        }
      })();
    });
    expect(statuses(await text)).toEqual(["201"]);
    await engine.ok(["volume", "rm", "slowly"]);
  });
});
