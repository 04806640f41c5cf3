import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEndpoint } from "#client/connection/endpoint.ts";
import { proxyVariables } from "./proxy-environment.ts";
import { requestHeaders } from "./request-headers.ts";

let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "berth-proxies-"));
  await writeFile(
    join(directory, "config.json"),
    JSON.stringify({
      HttpHeaders: { "X-Team": "a", Host: "b", "User-Agent": "c" },
      proxies: { default: { httpProxy: "http://p", noProxy: "x,y" }, "tcp://h:1": { allProxy: "socks://s" } },
    }),
  );
});
afterAll(() => rm(directory, { recursive: true }));

test("proxyVariables() gives both spellings of what is set, the engine's own settings before the default ones", () => {
  expect(proxyVariables(directory, parseEndpoint("unix:///a"), new Set())).toEqual([
    "HTTP_PROXY=http://p",
    "http_proxy=http://p",
    "NO_PROXY=x,y",
    "no_proxy=x,y",
  ]);
  expect(proxyVariables(directory, parseEndpoint("tcp://h:1"), new Set(["ALL_PROXY"]))).toEqual([
    "all_proxy=socks://s",
  ]);
  expect(proxyVariables("/nowhere", parseEndpoint("unix:///a"), new Set())).toEqual([]);
});

test("requestHeaders() takes the variable before the configuration, and never what frames a request", () => {
  expect(requestHeaders(directory, undefined)).toEqual({ "X-Team": "a" });
  expect(requestHeaders(directory, 'A=1,"B=2,3"')).toEqual({ A: "1", B: "2,3" });
  expect(() => requestHeaders(directory, "A")).toThrow("missing \"=\" in key=value pair: 'A'");
  expect(() => requestHeaders(directory, "=b")).toThrow("an empty key: '=b'");
  expect(() => requestHeaders(directory, 'A=b,"c')).toThrow("value must be formatted as comma-separated");
  expect(() => requestHeaders(directory, "A b=c")).toThrow("invalid header");
});
