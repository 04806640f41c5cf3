import { describe, expect, test } from "bun:test";
import { DEFAULT_SOCKET, formatEndpoint, parseEndpoint } from "./endpoint.ts";

describe("parseEndpoint()", () => {
  for (const address of [
    "unix:///run/x.sock",
    "tcp://127.0.0.1:2375",
    "tcp://localhost:80",
    "tcp://[::1]:2375",
    "ssh://me@host:22/run/x.sock",
    "ssh://host",
  ]) {
    test(`reads ${address} and formatEndpoint() gives it back`, () =>
      expect(formatEndpoint(parseEndpoint(address))).toBe(address));
  }

  test("takes 2375 as the port of old", () =>
    expect(parseEndpoint("tcp://[::1]")).toMatchObject({ host: "::1", port: 2375 }));

  for (const port of ["99999", "abc", "-1"]) {
    test(`refuses the port ${port} in Go's words`, () =>
      expect(() => parseEndpoint(`tcp://h:${port}`)).toThrow(
        `parse "tcp://h:${port}": invalid port ":${port}" after host`,
      ));
  }

  test("completes what is left out", () => {
    expect(parseEndpoint("tcp://")).toMatchObject({ host: "localhost", port: 2375 });
    expect(parseEndpoint("10.0.0.1:80")).toMatchObject({ kind: "tcp", host: "10.0.0.1", port: 80 });
    expect(parseEndpoint("tcp://::1")).toMatchObject({ host: "::1", port: 2375 });
    expect(parseEndpoint("box")).toMatchObject({ kind: "tcp", host: "box", port: 2375 });
    expect(parseEndpoint("unix://")).toMatchObject({ kind: "unix", path: DEFAULT_SOCKET, isDefault: false });
  });

  test("takes 2376 with TLS", () =>
    expect(parseEndpoint("tcp://h", { ca: undefined, cert: undefined, key: undefined, verify: true })).toMatchObject({
      port: 2376,
      tls: { verify: true },
    }));

  for (const address of [
    "ssh://-oProxyCommand=x",
    "ssh://host/a b",
    "ssh://a;b",
    "unix://relative",
    "tcp://h:1/path",
    "a b",
    "tcp://a:b@h:1",
    "tcp://[::1",
    "npipe:////./pipe/x",
  ]) {
    test(`refuses ${address}`, () =>
      expect(() => parseEndpoint(address)).toThrow(`invalid bind address format: ${address}`));
  }
});
