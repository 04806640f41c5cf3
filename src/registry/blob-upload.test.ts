import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { digestOf } from "#formats/digest.ts";
import { parseReference } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import { RegistryClient } from "./registry-client.ts";
import { type FaultyProxy, startFaultyProxy, startRegistry, type TestRegistry } from "./registry-test-bed.ts";
import type { RepositoryWriter } from "./repository-writer.ts";

const BLOB = randomBytes(1_000_000);
const DIGEST = digestOf(BLOB);
const CHUNK = 50_000;

function writerOf(host: string, attempts = 4): Promise<RepositoryWriter> {
  const client = new RegistryClient({
    insecureRegistries: [],
    mirrors: [],
    userAgent: "test",
    retryPolicy: { attempts, baseDelay: 1, maxDelay: 10 },
  });
  return client.writer(parseReference(`${host}/up/load:1`));
}

/** A source that counts how often it was opened. */
function source(bytes: Uint8Array = BLOB): {
  opened: number;
  open: () => AsyncIterable<Uint8Array>;
  digest: () => Digest;
} {
  const counted = {
    opened: 0,
    digest: () => digestOf(bytes),
    async *open(): AsyncGenerator<Uint8Array, void, void> {
      counted.opened++;
      for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
    },
  };
  return counted;
}

describe("uploadBlob() to docker-registry through a line that breaks", () => {
  let registry: TestRegistry;
  let proxy: FaultyProxy;

  beforeAll(async () => {
    registry = await startRegistry();
    proxy = await startFaultyProxy(registry);
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    proxy.rule = () => undefined;
  });

  test("brings the whole blob there although the connection breaks in the middle, twice", async () => {
    let breaks = 2;
    proxy.rule = ({ method }) => {
      if (method !== "PATCH" || breaks === 0) return undefined;
      breaks--;
      return { kind: "cut-upload", after: 300_000 };
    };
    const writer = await writerOf(proxy.host);
    const blob = source();
    await writer.uploadBlob(blob);
    expect(blob.opened).toBe(3);
    expect(await writer.hasBlob(DIGEST)).toBe(true);
    const stored = await fetch(`http://${registry.host}/v2/up/load/blobs/${DIGEST}`);
    expect(digestOf(new Uint8Array(await stored.arrayBuffer()))).toBe(DIGEST);
  });

  test("gives up after its attempts, with the cause", async () => {
    proxy.rule = ({ method }) => (method === "PATCH" ? { kind: "cut-upload", after: 1000 } : undefined);
    const blob = source(randomBytes(200_000));
    await expect((await writerOf(proxy.host, 3)).uploadBlob(blob)).rejects.toThrow(/Patch "http:/);
    expect(blob.opened).toBe(3);
  });

  test("a lost answer to the PUT is no reason to send anything again", async () => {
    const bytes = randomBytes(100_000);
    let isLost = false;
    proxy.rule = ({ method }) => {
      if (method !== "PUT" || isLost) return undefined;
      isLost = true;
      return { kind: "wait-then-cut" };
    };
    const blob = source(bytes);
    await (await writerOf(proxy.host)).uploadBlob(blob);
    expect(blob.opened).toBe(1);
  });

  test("503 with Retry-After and 429 are waited for", async () => {
    const codes = [503, 429];
    proxy.rule = ({ method }) => {
      const status = method === "POST" ? codes.shift() : undefined;
      return status ? { kind: "status", status, headers: { "retry-after": "0" } } : undefined;
    };
    const bytes = randomBytes(10_000);
    const writer = await writerOf(proxy.host);
    await writer.uploadBlob(source(bytes));
    expect(await writer.hasBlob(digestOf(bytes))).toBe(true);
  });
});

/** What a registry may do by the specification, and Debian's does not. */
class QuirkyRegistry {
  readonly server: Server = createServer((request, response) => void this.#answer(request, response));
  readonly seen: string[] = [];
  received: Buffer = Buffer.alloc(0);
  /** Bytes after which the first PATCH breaks. */
  breaksAfter = Number.POSITIVE_INFINITY;
  redirects = false;
  location: (path: string) => string = (path) => path;

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    this.seen.push(`${method} ${url.replace(/\?.*/, "")}`);
    const upload = this.location("/v2/up/load/blobs/uploads/session-1");
    const range = { range: `0-${Math.max(0, this.received.length - 1)}`, location: upload };
    if (url === "/v2/") response.writeHead(200).end();
    else if (method === "POST") response.writeHead(202, { location: upload }).end();
    else if (method === "HEAD") response.writeHead(404).end();
    else if (method === "GET") response.writeHead(204, range).end();
    else if (this.redirects && !url.startsWith("/elsewhere")) {
      request.resume();
      response.writeHead(307, { location: `/elsewhere${url}`, connection: "close" }).end();
    } else if (method === "PATCH") await this.#patch(request, response, upload);
    else response.writeHead(digestOf(this.received) === DIGEST ? 201 : 400).end();
  }

  async #patch(request: IncomingMessage, response: ServerResponse, upload: string): Promise<void> {
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        this.received = Buffer.concat([this.received, chunk.subarray(0, this.breaksAfter - this.received.length)]);
        if (this.received.length >= this.breaksAfter) {
          this.breaksAfter = Number.POSITIVE_INFINITY;
          request.socket.destroy();
          return;
        }
      }
      response.writeHead(202, { location: upload, range: `0-${this.received.length - 1}` }).end();
    } catch {
      // The connection is gone.
    }
  }
}

describe("uploadBlob() to registries with ways of their own", () => {
  let registry: QuirkyRegistry;

  beforeEach(async () => {
    registry = new QuirkyRegistry();
    await new Promise<void>((resolve) => registry.server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(async () => {
    registry.server.closeAllConnections();
    await new Promise((resolve) => registry.server.close(resolve));
  });

  test("a broken upload goes on behind the bytes that the registry says it has", async () => {
    registry.breaksAfter = 420_000;
    await (await writerOf(registry.host)).uploadBlob(source());
    expect(registry.received.equals(BLOB)).toBe(true);
    expect(registry.seen.filter((line) => line.startsWith("POST"))).toHaveLength(1);
    expect(registry.seen.filter((line) => line.startsWith("PATCH"))).toHaveLength(2);
  });

  test.each([
    ["relative to the host", (path: string) => path],
    ["relative to the request", (path: string) => path.split("/").at(-1) ?? ""],
    ["a whole URL with a query", (path: string) => `http://${registry.host}${path}?_state=abc&x=%2F`],
  ])("a Location may be %s", async (_, location) => {
    registry.location = location;
    await (await writerOf(registry.host)).uploadBlob(source());
    expect(registry.received.equals(BLOB)).toBe(true);
  });

  test("307 sends body and digest elsewhere", async () => {
    registry.redirects = true;
    await (await writerOf(registry.host)).uploadBlob(source());
    expect(registry.received.equals(BLOB)).toBe(true);
    expect(registry.seen).toContain("PUT /elsewhere/v2/up/load/blobs/uploads/session-1");
  });
});
