/** For tests: Debian's docker-registry on a free loopback port, and a proxy before it that misbehaves as told. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly port: number;
  /** Where it keeps its blobs. */
  readonly directory: string;
}

/** Starts a registry; with `htpasswd` (the file's content) it wants a login. */
export async function startRegistry(htpasswd?: string): Promise<TestRegistry> {
  const directory = await mkdtemp(join(tmpdir(), "berth-registry-"));
  const port = await freePort();
  const auth = htpasswd === undefined ? "" : `auth:\n  htpasswd:\n    realm: test\n    path: ${directory}/htpasswd\n`;
  if (htpasswd !== undefined) await writeFile(join(directory, "htpasswd"), htpasswd);
  const config = join(directory, "config.yml");
  await writeFile(
    config,
    `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${directory}/data\n  delete:\n    enabled: true\n` +
      `http:\n  addr: 127.0.0.1:${port}\n${auth}`,
  );
  const child = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  await untilAnswering(child, port);
  return {
    host: `127.0.0.1:${port}`,
    port,
    directory,
    [Symbol.asyncDispose]: async () => {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What the proxy does to one exchange; undefined: nothing. */
export type Fault =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** Ends the connection after so many bytes of the body. */
  | { readonly kind: "cut"; readonly after: number }
  /** Ends both connections after so many bytes of what the client sends. */
  | { readonly kind: "cut-upload"; readonly after: number }
  /** The registry does what it is asked, and its answer is lost. */
  | { readonly kind: "wait-then-cut" }
  /** Flips a bit of the byte at this place of the body. */
  | { readonly kind: "flip"; readonly at: number }
  /** Answers a Range request with everything. */
  | { readonly kind: "ignore-range" }
  /** Holds the answer back, ms. */
  | { readonly kind: "wait"; readonly ms: number };

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

export interface FaultyProxy extends AsyncDisposable {
  readonly host: string;
  readonly seen: SeenRequest[];
  /** Decides on each exchange; may be replaced at any time. */
  rule: (seen: SeenRequest) => Fault | undefined;
}

/** Starts a proxy before a registry. */
export async function startFaultyProxy(upstream: TestRegistry): Promise<FaultyProxy> {
  const seen: SeenRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const { range, authorization } = incoming.headers;
    const entry = { method: incoming.method ?? "", url: incoming.url ?? "", range, authorization };
    seen.push(entry);
    void exchange(upstream.port, incoming, outgoing, proxy.rule(entry));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: FaultyProxy = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    rule: () => undefined,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

async function exchange(
  port: number,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  if (fault?.kind === "wait") await delay(fault.ms);
  if (fault?.kind === "status") {
    incoming.resume();
    outgoing.writeHead(fault.status, fault.headers).end(fault.body ?? "");
    return;
  }
  const headers = { ...incoming.headers };
  if (fault?.kind === "ignore-range") delete headers.range;
  const upstream = request(
    { host: "127.0.0.1", port, method: incoming.method, path: incoming.url, headers },
    (response) => {
      if (fault?.kind === "wait-then-cut") {
        response.resume();
        outgoing.socket?.destroy();
        return;
      }
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      let sent = 0;
      response.on("data", (chunk: Buffer) => {
        const start = sent;
        sent += chunk.length;
        if (fault?.kind === "flip" && fault.at >= start && fault.at < sent) {
          chunk[fault.at - start] = (chunk[fault.at - start] ?? 0) ^ 1;
        }
        if (fault?.kind === "cut" && sent > fault.after) {
          if (fault.after > start) outgoing.write(chunk.subarray(0, fault.after - start));
          // Let what was written reach the other side before the reset.
          setTimeout(() => outgoing.socket?.destroy(), 30);
          response.destroy();
          return;
        }
        outgoing.write(chunk);
      });
      response.on("end", () => outgoing.end());
    },
  );
  upstream.on("error", () => outgoing.socket?.destroy());
  if (fault?.kind !== "cut-upload") {
    incoming.pipe(upstream);
    return;
  }
  let received = 0;
  incoming.on("data", (chunk: Buffer) => {
    const left = fault.after - received;
    received += chunk.length;
    if (left > 0) upstream.write(chunk.subarray(0, left));
    // Let what was sent reach the registry before the end.
    if (received >= fault.after) {
      incoming.pause();
      setTimeout(() => {
        upstream.destroy();
        incoming.socket.destroy();
      }, 50);
    }
  });
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilAnswering(child: ChildProcess, port: number): Promise<void> {
  let failure: Error | undefined;
  child.once("error", (error) => {
    failure = error;
  });
  for (let attempt = 0; attempt < 200; attempt++) {
    if (failure) throw failure;
    const response = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined);
    if (response) return;
    await delay(25);
  }
  throw new Error("docker-registry does not answer");
}
