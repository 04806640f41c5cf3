import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { UnauthorizedError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import { parseReference } from "#formats/reference.ts";
import { chooseChallenge, parseChallenges } from "./challenge.ts";
import { apiUrl, endpointsOf, isInsecure } from "./endpoint.ts";
import { redactUrl } from "./redact.ts";
import { RegistryClient } from "./registry-client.ts";
import { retryAfter } from "./response-error.ts";

interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** A registry with a token server beside it, as Docker Hub has, that keeps what it was sent. */
class FakeHub {
  readonly seen: Seen[] = [];
  readonly server: Server = createServer((request, response) => void this.#answer(request, response));
  validToken = "t1";
  expiresIn = 300;

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  count(path: string): number {
    return this.seen.filter(({ url }) => url.pathname === path).length;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", `http://${this.host}`);
    const { authorization } = request.headers;
    let body = "";
    for await (const chunk of request) body += chunk;
    this.seen.push({ method: request.method ?? "", url, authorization, body });
    if (url.pathname === "/token") {
      if (authorization && authorization !== `Basic ${btoa("me:right")}`) {
        response.writeHead(401).end(JSON.stringify({ details: "incorrect username or password" }));
        return;
      }
      response.end(JSON.stringify({ token: this.validToken, expires_in: this.expiresIn }));
    } else if (authorization !== `Bearer ${this.validToken}`) {
      const challenge = `Bearer realm="http://${this.host}/token",service="hub"`;
      response.writeHead(401, { "www-authenticate": challenge }).end("{}");
    } else if (url.pathname.includes("/blobs/")) {
      response
        .writeHead(307, { location: `http://localhost:${new URL(`http://${this.host}`).port}/cdn?sig=secret` })
        .end();
    } else {
      response.end("{}");
    }
  }
}

let hub: FakeHub;
beforeEach(async () => {
  hub = new FakeHub();
  await new Promise<void>((resolve) => hub.server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  hub.server.closeAllConnections();
  hub.server.close();
});

const client = (): RegistryClient =>
  new RegistryClient({
    mirrors: [],
    insecureRegistries: [],
    userAgent: "test",
    retryPolicy: { attempts: 2, baseDelay: 1, maxDelay: 1 },
  });

describe("RegistryClient authorization", () => {
  test("fetches one token for a scope and keeps it", async () => {
    const registry = client();
    const reference = parseReference(`${hub.host}/team/app`);
    await registry.repository(reference).manifest("v1");
    await registry.repository(reference).manifest("v2");
    expect(hub.count("/token")).toBe(1);
    const token = hub.seen.find(({ url }) => url.pathname === "/token");
    expect(token?.url.searchParams.get("scope")).toBe("repository:team/app:pull");
    expect(token?.url.searchParams.get("service")).toBe("hub");
    expect(token?.authorization).toBeUndefined();
    await registry.repository(parseReference(`${hub.host}/team/other`)).manifest("v1");
    expect(hub.count("/token")).toBe(2);
  });

  test("fetches a fresh token when the kept one is refused, or is about to expire", async () => {
    const registry = client();
    const reference = parseReference(`${hub.host}/team/app`);
    await registry.repository(reference).manifest("v1");
    hub.validToken = "t2";
    await registry.repository(reference).manifest("v1");
    expect(hub.count("/token")).toBe(2);
    hub.expiresIn = 1;
    hub.validToken = "t3";
    await registry.repository(reference).manifest("v1");
    await registry.repository(reference).manifest("v1");
    expect(hub.count("/token")).toBe(4);
  });

  test("gives the password to the token server only, and tells when it is wrong", async () => {
    const registry = client();
    const reference = parseReference(`${hub.host}/team/app`);
    await registry.repository(reference, { credentials: { username: "me", password: "right" } }).manifest("v1");
    const withPassword = hub.seen.filter(({ authorization }) => authorization?.startsWith("Basic"));
    expect(withPassword.map(({ url }) => url.pathname)).toEqual(["/token"]);
    const wrong = registry.repository(reference, { credentials: { username: "me", password: "wrong" } }).manifest("v1");
    await expect(wrong).rejects.toThrow("unauthorized: incorrect username or password");
    await expect(wrong).rejects.toBeInstanceOf(UnauthorizedError);
  });

  test("exchanges an identity token by POST", async () => {
    const repository = client().repository(parseReference(`${hub.host}/team/app`), {
      credentials: { identityToken: "refresh" },
    });
    await repository.manifest("v1");
    const post = hub.seen.find(({ method }) => method === "POST");
    expect(new URLSearchParams(post?.body).get("refresh_token")).toBe("refresh");
    expect(new URLSearchParams(post?.body).get("grant_type")).toBe("refresh_token");
  });

  test("sends no authorization across origins, and hides signed links in errors", async () => {
    const repository = client().repository(parseReference(`${hub.host}/team/app`));
    const blob = { mediaType: "x", digest: digestOf("x"), size: 1 };
    const reading = repository.smallBlob(blob, 10);
    await expect(reading).rejects.toThrow(/401|unauthorized/);
    await expect(reading).rejects.not.toThrow("secret");
    expect(hub.seen.find(({ url }) => url.pathname === "/cdn")?.authorization).toBeUndefined();
  });
});

test("RegistryClient asks a mirror below its path", async () => {
  const mirrors = [`http://${hub.host}/repository/hub`];
  const registry = new RegistryClient({ mirrors, insecureRegistries: [], userAgent: "test" });
  await registry.repository(parseReference("busybox")).manifest("v1");
  const paths = new Set(hub.seen.map(({ url }) => url.pathname));
  expect([...paths]).toEqual(["/repository/hub/v2/", "/token", "/repository/hub/v2/library/busybox/manifests/v1"]);
});

describe("parseChallenges()", () => {
  test("reads several schemes, quoted and plain values", () => {
    expect(parseChallenges('Basic realm="a b", Bearer realm="https://x/t",service=s,scope="r:a:pull,push"')).toEqual([
      { scheme: "basic", parameters: { realm: "a b" } },
      { scheme: "bearer", parameters: { realm: "https://x/t", service: "s", scope: "r:a:pull,push" } },
    ]);
    expect(parseChallenges('BEARER Realm="q\\"uote"')).toEqual([{ scheme: "bearer", parameters: { realm: 'q"uote' } }]);
    expect(chooseChallenge('Basic realm="a", Bearer realm="b"')?.scheme).toBe("bearer");
    expect(chooseChallenge("Negotiate")).toBeUndefined();
    expect(chooseChallenge(null)).toBeUndefined();
  });
});

describe("endpointsOf()", () => {
  const options = {
    mirrors: ["https://mirror.example", "http://nexus.example:8081/repository/hub/"],
    insecureRegistries: ["reg.test:5000", "10.1.0.0/16"],
    userAgent: "",
  };
  const origins = (domain: string): string[] => endpointsOf(domain, options).map(({ origin }) => origin);

  test("mirrors serve Docker Hub only; http is for loopback and insecure registries, after https", () => {
    expect(
      endpointsOf("docker.io", options).map((endpoint) => apiUrl(endpoint, "library/busybox/tags/list").href),
    ).toEqual([
      "https://mirror.example/v2/library/busybox/tags/list",
      "http://nexus.example:8081/repository/hub/v2/library/busybox/tags/list",
      "https://registry-1.docker.io/v2/library/busybox/tags/list",
    ]);
    expect(origins("ghcr.io")).toEqual(["https://ghcr.io"]);
    expect(origins("localhost:5000")).toEqual(["https://localhost:5000", "http://localhost:5000"]);
    expect(origins("reg.test:5000")).toEqual(["https://reg.test:5000", "http://reg.test:5000"]);
    expect(origins("reg.test")).toEqual(["https://reg.test"]);
  });

  test("isInsecure() knows networks and loopback in all spellings", () => {
    const insecure = ["127.0.0.1:5000", "127.9.9.9", "[::1]:5000", "localhost", "10.1.2.3:80", "reg.test:5000"];
    expect(insecure.filter((host) => !isInsecure(host, options))).toEqual([]);
    const secure = ["10.2.0.1", "localhost.evil.com", "127.0.0.1.nip.io", "reg.test:5001"];
    expect(secure.filter((host) => isInsecure(host, options))).toEqual([]);
  });
});

test("redactUrl() hides user info and unknown parameters", () => {
  expect(redactUrl(new URL("https://u:p@h/v2/?scope=a&X-Amz-Signature=s"))).toBe(
    "https://h/v2/?scope=a&X-Amz-Signature=REDACTED",
  );
});

test("retryAfter() reads seconds and dates", () => {
  expect(retryAfter("3")).toBe(3000);
  expect(retryAfter("Thu, 01 Jan 1970 00:00:10 GMT", 4000)).toBe(6000);
  expect(retryAfter("Thu, 01 Jan 1970 00:00:10 GMT", 40_000)).toBe(0);
  expect(retryAfter("soon")).toBeUndefined();
  expect(retryAfter(null)).toBeUndefined();
});
