import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConflictError, NotFoundError, NotModifiedError } from "#errors/errors.ts";
import { object, text } from "#lib/json-decoder.ts";
import { type ApiServer, createApiServer } from "./api-server.ts";
import type { RequestContext } from "./request-context.ts";
import type { Route } from "./route.ts";
import { streamProgress } from "./streams/progress-stream.ts";

const decodeNamed = object<{ readonly Name?: string }>({ Name: text }, {});

const ROUTES: readonly Route[] = [
  ["GET", "/ok", (request) => request.sendJson(200, { all: request.flag("all"), version: request.version })],
  ["GET", "/filters", (request) => request.sendJson(200, [...request.filters()])],
  ["POST", "/named", async (request) => request.sendJson(201, await request.json(decodeNamed))],
  ["GET", "/gone", () => Promise.reject(new NotFoundError("No such thing: x"))],
  ["GET", "/taken", () => Promise.reject(new ConflictError("taken"))],
  ["GET", "/same", () => Promise.reject(new NotModifiedError(""))],
  ["GET", "/bug", () => Promise.reject(new TypeError("undefined is not a function"))],
  ["GET", "/late", (request) => streamProgress(request, failing(["one"]))],
  ["GET", "/turns", (request) => streamProgress(request, inTwoTurns)],
  ["GET", "/early", (request) => streamProgress(request, failing([]))],
];

function failing(lines: readonly string[]): Parameters<typeof streamProgress>[1] {
  return async (send) => {
    for (const status of lines) send({ status });
    throw new NotFoundError("manifest unknown");
  };
}

/** Says two things at once, waits until they are out, and says two more before it ends. */
async function inTwoTurns(send: (message: { readonly status: string }) => void): Promise<void> {
  for (const turn of ["first", "second"]) {
    send({ status: turn });
    await Promise.resolve();
    send({ status: `${turn} still` });
    if (turn === "first") await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

let directory: string;
let server: ApiServer;
const internal: string[] = [];
let activities = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "berth-api-"));
  server = createApiServer({
    routes: ROUTES,
    onInternalError: (method, path) => void internal.push(`${method} ${path}`),
    onActivity: () => activities++,
  });
  await new Promise<void>((resolve) => server.listener.listen(join(directory, "api.sock"), resolve));
});

afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

function call(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://engine${path}`, { unix: join(directory, "api.sock"), ...init });
}

async function answer(path: string, init: RequestInit = {}): Promise<readonly [status: number, body: unknown]> {
  const response = await call(path, init);
  const body = await response.text();
  return [response.status, body === "" ? "" : JSON.parse(body)];
}

describe("createApiServer()", () => {
  test("serves paths with and without a version, and says which it speaks", async () => {
    expect(await answer("/ok")).toEqual([200, { all: false, version: "1.51" }]);
    expect(await answer("/v1.44/ok?all=1")).toEqual([200, { all: true, version: "1.44" }]);
    expect((await call("/ok")).headers.get("api-version")).toBe("1.51");
  });

  test("reports activity when a request comes and when it has been answered", async () => {
    const before = activities;
    await answer("/ok");
    while (activities < before + 2) await Bun.sleep(1);
    expect(activities).toBe(before + 2);
  });

  test("answers targets that are no URL of its own", async () => {
    for (const target of ["/*", "/[", "*", "http://[", "/%zz"]) {
      const socket = connect(join(directory, "api.sock"));
      socket.write(`GET ${target} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n`);
      const [head] = await once(socket, "data");
      socket.destroy();
      expect(String(head)).toMatch(/^HTTP\/1.1 40[04] /);
    }
  });

  test("refuses versions that it does not speak", async () => {
    expect(await answer("/v1.12/ok")).toEqual([
      400,
      {
        message:
          "client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version",
      },
    ]);
    expect(await answer("/v2.0/ok")).toEqual([
      400,
      { message: "client version 2.0 is too new. Maximum supported API version is 1.51" },
    ]);
  });

  test("slashes that are doubled are redirected to the page that is meant", async () => {
    const { status, headers } = await call("//v1.41//ok?all=1", { redirect: "manual" });
    expect([status, headers.get("location")]).toEqual([301, "/v1.41/ok?all=1"]);
    expect(await answer("///nowhere")).toEqual([404, { message: "page not found" }]);
  });

  test("turns errors into their statuses, and tells those that are its own", async () => {
    expect(await answer("/gone")).toEqual([404, { message: "No such thing: x" }]);
    expect(await answer("/taken")).toEqual([409, { message: "taken" }]);
    expect(await answer("/same")).toEqual([304, ""]);
    expect(await answer("/nowhere")).toEqual([404, { message: "page not found" }]);
    expect(internal).toEqual([]);
    expect(await answer("/bug")).toEqual([500, { message: "undefined is not a function" }]);
    expect(internal).toEqual(["GET /bug"]);
  });
});

describe("RequestContext", () => {
  test("json() decodes a body; an empty one and null are an empty object", async () => {
    const headers = { "Content-Type": "application/json" };
    const post = (body: string): Promise<readonly [number, unknown]> =>
      answer("/named", { method: "POST", body, headers });
    expect(await post('{"name":"a","Other":1}')).toEqual([201, { Name: "a" }]);
    expect(await post("")).toEqual([201, {}]);
    expect(await post("null")).toEqual([201, {}]);
    const message = (text: string): [number, unknown] => [400, { message: text }];
    expect(await post('{"Name":5}')).toEqual(
      message("invalid JSON: json: cannot unmarshal number into Go struct field Config.Name of type string"),
    );
    expect(await post("[]")).toEqual(
      message("invalid JSON: json: cannot unmarshal array into Go value of type map[string]string"),
    );
    expect(await post("{")).toEqual(message("invalid JSON: unexpected EOF"));
    expect(await post('{"Name":"a"} {}')).toEqual(message("unexpected content after JSON"));
    expect(await post(`{"Name":"${"x".repeat(9 * 1024 * 1024)}"}`)).toEqual([
      400,
      { message: "request body too large" },
    ]);
    const typed = (type: string): Promise<readonly [number, unknown]> =>
      answer("/named", { method: "POST", body: "{}", headers: { "Content-Type": type } });
    expect(await typed("text/plain")).toEqual(
      message("unsupported Content-Type header (text/plain): must be 'application/json'"),
    );
    expect(await typed("application/json; foo")).toEqual(
      message("malformed Content-Type header (application/json; foo): mime: invalid media parameter"),
    );
    expect(await typed("application/json; charset=utf-8")).toEqual([201, {}]);
  });

  test("filters() reads both forms that clients write", async () => {
    const filters = (value: string): Promise<readonly [number, unknown]> =>
      answer(`/filters?filters=${encodeURIComponent(value)}`);
    expect(await filters('{"label":["a","b=c"]}')).toEqual([200, [["label", ["a", "b=c"]]]]);
    expect(await filters('{"label":{"a":true,"b":false}}')).toEqual([200, [["label", ["a", "b"]]]]);
    expect(await filters("null")).toEqual([200, []]);
    expect(await filters('{"label":null}')).toEqual([200, [["label", []]]]);
    expect((await filters('{"label":{"a":1}}'))[0]).toBe(400);
    expect((await filters("[]"))[0]).toBe(400);
    expect((await filters('{"label":5}'))[0]).toBe(400);
  });
});

describe("streamProgress()", () => {
  test("what is said in one turn of the event loop is one chunk", async () => {
    const socket = connect(join(directory, "api.sock"));
    socket.write("GET /turns HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk);
    const answer = Buffer.concat(chunks).toString();
    const turns = ["first", "second"].map((turn) => `{"status":"${turn}"}\r\n{"status":"${turn} still"}\r\n`);
    const expected = turns.map((lines) => `${lines.length.toString(16)}\r\n${lines}\r\n`).join("");
    expect(answer.slice(answer.indexOf("\r\n\r\n") + 4)).toBe(`${expected}0\r\n\r\n`);
  });

  test("fails with a status before its first line, and with a last line after it", async () => {
    expect(await answer("/early")).toEqual([404, { message: "manifest unknown" }]);
    const response = await call("/late");
    expect(response.status).toBe(200);
    expect(
      (await response.text())
        .trim()
        .split("\r\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([{ status: "one" }, { errorDetail: { message: "manifest unknown" }, error: "manifest unknown" }]);
  });
});

test("ApiServer.close() ends connections, upgraded ones too, and waits until their work is undone", async () => {
  const undone: string[] = [];
  const work = (name: string, answer: (request: RequestContext) => unknown) => async (request: RequestContext) => {
    answer(request);
    await once(request.signal, "abort");
    await Bun.sleep(50);
    undone.push(name);
  };
  const closing = createApiServer({
    routes: [
      ["GET", "/stream", work("stream", (request) => request.stream("text/plain"))],
      ["POST", "/hijack", work("hijack", (request) => request.hijack("text/plain"))],
    ],
    onInternalError: () => undefined,
    onActivity: () => undefined,
  });
  const path = join(directory, "closing.sock");
  await new Promise<void>((resolve) => closing.listener.listen(path, resolve));
  const answers = ["GET /stream", "POST /hijack"].map(async (line) => {
    const socket = connect(path);
    socket.write(
      `${line} HTTP/1.1\r\nHost: x\r\n${line.startsWith("P") ? "Connection: Upgrade\r\nUpgrade: tcp\r\n" : ""}\r\n`,
    );
    await once(socket, "data");
    return once(socket, "close");
  });
  await Bun.sleep(100);
  await closing.close();
  expect(undone.sort()).toEqual(["hijack", "stream"]);
  await Promise.all(answers);
});
