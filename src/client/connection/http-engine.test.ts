/** The client against a real server of node:http on a unix socket. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineResponse } from "../engine.ts";
import { parseEndpoint } from "./endpoint.ts";
import { HttpEngine } from "./http-engine.ts";
import { readJson, readJsonLines } from "./response-body.ts";

let directory = "";
let server: Server;
let engine: HttpEngine;
/** Requests as the server saw them. */
const seen: { url: string; headers: IncomingMessage["headers"]; body: string }[] = [];
let closedEarly = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "berth-http-engine-"));
  server = createServer((request, response) => void handle(request, response).catch(() => undefined));
  server.on("upgrade", (request, socket, head) => {
    // Bun hands a body that comes with an upgrade to the request, Node to the socket.
    const input = [head];
    request.on("data", (bytes: Buffer) => input.push(Buffer.from(bytes)));
    socket.on("data", (bytes: Buffer) => input.push(Buffer.from(bytes)));
    socket.on("end", () => socket.end(`got ${Buffer.concat(input).toString()}`));
    socket.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello ");
  });
  const path = join(directory, "engine.sock");
  await new Promise<void>((resolve) => server.listen(path, resolve));
  engine = new HttpEngine(parseEndpoint(`unix://${path}`));
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url?.endsWith("/refuse")) {
    response.writeHead(409, { "Content-Type": "application/json" }).end('{"message":"taken"}\n');
    return;
  }
  // Clients that leave are part of what is tested.
  request.on("error", () => undefined);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  seen.push({ url: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString() });
  if (request.url?.includes("/lines")) {
    for (let n = 0; n < 3; n++) response.write(`{"n":${n}}\n`);
    response.end();
  } else if (request.url?.includes("/endless")) {
    response.on("close", () => void closedEarly++);
    response.write("x");
  } else if (request.url?.includes("/plain-error")) {
    response.writeHead(500).end("it broke");
  } else {
    response.setHeader("Content-Type", "application/json");
    response.end('{"ok":true}');
  }
}

async function textOf(response: EngineResponse): Promise<string> {
  let text = "";
  for await (const bytes of response.body) text += bytes.toString();
  return text;
}

describe("HttpEngine.send()", () => {
  test("sends version, query and JSON", async () => {
    const response = await engine.send({
      method: "POST",
      path: "/containers/create",
      query: { name: "a b", all: true, no: false, none: undefined, t: ["1", "2"] },
      body: { json: { Image: "x" } },
    });
    expect(await readJson<{ ok: boolean }>(response)).toEqual({ ok: true });
    expect(seen.at(-1)).toMatchObject({
      url: "/v1.51/containers/create?name=a%20b&all=1&t=1&t=2",
      body: '{"Image":"x"}',
    });
  });

  test("streams a body", async () => {
    const bytes = (async function* () {
      for (let n = 0; n < 100; n++) yield Buffer.alloc(10_000, "y");
    })();
    await textOf(await engine.send({ method: "PUT", path: "/x", body: { bytes, type: "application/x-tar" } }));
    expect(seen.at(-1)?.body).toHaveLength(1_000_000);
  });

  test("reads JSON lines", async () => {
    const lines: unknown[] = [];
    for await (const line of readJsonLines(await engine.send({ method: "GET", path: "/lines" }))) lines.push(line);
    expect(lines).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
  });

  test("throws the engine's message with its status", async () => {
    await expect(engine.send({ method: "POST", path: "/refuse" })).rejects.toMatchObject({
      status: 409,
      code: "conflict",
      reason: "taken",
      message: "Error response from daemon: taken",
    });
    await expect(engine.send({ method: "GET", path: "/plain-error" })).rejects.toMatchObject({ reason: "it broke" });
  });

  test("gives the engine's refusal of a body that it does not read to its end", async () => {
    const bytes = (async function* () {
      for (let n = 0; n < 1000; n++) yield Buffer.alloc(100_000);
    })();
    const sending = engine.send({ method: "POST", path: "/refuse", body: { bytes, type: "application/x-tar" } });
    await expect(sending).rejects.toMatchObject({ reason: "taken" });
  });

  test("throws what the source of a body throws", async () => {
    const bytes = (async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("a");
      throw new Error("disk gone");
    })();
    const sending = engine.send({ method: "POST", path: "/x", body: { bytes, type: "text/plain" } });
    await expect(sending).rejects.toThrow("disk gone");
  });

  test("closes the connection when the reader leaves or aborts", async () => {
    const before = closedEarly;
    for await (const _bytes of (await engine.send({ method: "GET", path: "/endless" })).body) break;
    const controller = new AbortController();
    const response = await engine.send({ method: "GET", path: "/endless", signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(textOf(response)).rejects.toMatchObject({ code: "cancelled" });
    for (let waited = 0; closedEarly < before + 2 && waited < 10_000; waited += 10) await Bun.sleep(10);
    expect(closedEarly).toBe(before + 2);
  });

  test("says in docker's words that nobody is there", async () => {
    const nobody = new HttpEngine(parseEndpoint(`unix://${directory}/nobody.sock`));
    await expect(nobody.send({ method: "GET", path: "/_ping" })).rejects.toThrow(
      `Cannot connect to the Docker daemon at unix://${directory}/nobody.sock. Is the docker daemon running?`,
    );
  });

  test("starts a default engine once and tries again", async () => {
    let started = 0;
    const { endpoint } = engine;
    if (endpoint.kind !== "unix") throw new Error("not a socket");
    const path = join(directory, "later.sock");
    const later = createServer((request, response) => void handle(request, response).catch(() => undefined));
    const startEngine = async (): Promise<void> => {
      started++;
      await new Promise<void>((resolve) => later.listen(path, resolve));
    };
    const onDemand = new HttpEngine({ kind: "unix", path, isDefault: true }, { startEngine });
    expect(await textOf(await onDemand.send({ method: "GET", path: "/x" }))).toBe('{"ok":true}');
    expect(started).toBe(1);
    later.closeAllConnections();
    later.close();
  });
});

describe("HttpEngine.upgrade()", () => {
  test("gives what came with the answer, writes, half-closes and reads to the end", async () => {
    const stream = await engine.upgrade({ method: "POST", path: "/attach", body: { json: { Tty: true } } });
    await stream.write(Buffer.from(" typed"));
    stream.end();
    let text = "";
    for await (const bytes of stream.output) text += bytes.toString();
    stream.destroy();
    expect(text).toBe('hello got {"Tty":true} typed');
  });
});

describe("HttpEngine with an older engine", () => {
  test("speaks its version, and learns it before a body that streams", async () => {
    const path = join(directory, "older.sock");
    const urls: string[] = [];
    const older = createServer((request, response) => {
      urls.push(`${request.method} ${request.url}`);
      request.resume();
      const isTooNew = request.url?.startsWith("/v1.51/");
      const message = "client version 1.51 is too new. Maximum supported API version is 1.41";
      request.on("end", () =>
        response.writeHead(isTooNew ? 400 : 200).end(isTooNew ? JSON.stringify({ message }) : "{}"),
      );
    });
    await new Promise<void>((resolve) => older.listen(path, resolve));
    try {
      const plain = new HttpEngine(parseEndpoint(`unix://${path}`));
      await readJson(await plain.send({ method: "GET", path: "/info" }));
      await readJson(await plain.send({ method: "GET", path: "/version" }));
      const bytes = (async function* () {
        yield Buffer.from("tar");
      })();
      const streaming = new HttpEngine(parseEndpoint(`unix://${path}`));
      await readJson(
        await streaming.send({ method: "POST", path: "/build", body: { bytes, type: "application/x-tar" } }),
      );
      expect(urls).toEqual([
        ...["GET /v1.51/info", "GET /v1.41/info", "GET /v1.41/version"],
        ...["GET /v1.51/_ping", "GET /v1.41/_ping", "POST /v1.41/build"],
      ]);
    } finally {
      older.closeAllConnections();
      older.close();
    }
  });
});
