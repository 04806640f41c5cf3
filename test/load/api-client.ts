import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** What came of one call. */
export interface CallRecord {
  /** What was called: `POST /containers/{id}/start`. */
  readonly name: string;
  /** 0: the connection broke. */
  readonly status: number;
  /** Until the whole answer was there; of a stream: until its headers. */
  readonly milliseconds: number;
  /** Of a call that did not end as it should. */
  readonly problem?: string;
}

export interface Reply {
  readonly status: number;
  readonly body: Buffer;
}

export interface CallOptions {
  /** JSON, or the bytes of a tar. */
  readonly body?: unknown;
  /** Statuses that are no problem. Default: all below 300. */
  readonly expect?: readonly number[];
}

/** One client of the API: a connection that it keeps, and as many as it has streams. Every call is reported. */
export class ApiClient {
  readonly #socket: string;
  readonly #report: (record: CallRecord) => void;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });

  constructor(socket: string, report: (record: CallRecord) => void) {
    this.#socket = socket;
    this.#report = report;
  }

  /** A call with a whole answer. Never throws: what went wrong is in the report, and the status is 0. */
  async call(name: string, method: string, path: string, options: CallOptions = {}): Promise<Reply> {
    const begin = performance.now();
    try {
      const response = await this.#ask(method, path, options.body);
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const reply = { status: response.statusCode ?? 0, body: Buffer.concat(chunks) };
      this.#note(name, begin, reply, options.expect);
      return reply;
    } catch (error) {
      return this.#broken(name, begin, error);
    }
  }

  /** Reads a stream for so many milliseconds, or to its end; then goes away as a client that is killed. */
  async follow(name: string, path: string, milliseconds: number, options: CallOptions = {}): Promise<Reply> {
    const begin = performance.now();
    const leave = new AbortController();
    const timer = setTimeout(() => leave.abort(), milliseconds);
    const chunks: Buffer[] = [];
    let status = 0;
    try {
      const response = await this.#ask("GET", path, undefined, leave.signal);
      status = response.statusCode ?? 0;
      this.#note(name, begin, { status, body: Buffer.alloc(0) }, options.expect);
      for await (const chunk of response) chunks.push(chunk);
    } catch (error) {
      if (status === 0 && !leave.signal.aborted) return this.#broken(name, begin, error);
    } finally {
      clearTimeout(timer);
    }
    return { status, body: Buffer.concat(chunks) };
  }

  /** Takes a connection over, sends `input`, ends its half, and reads to the end, or for so many milliseconds. */
  async hijack(
    name: string,
    path: string,
    options: CallOptions & { readonly input?: string; readonly milliseconds?: number } = {},
  ): Promise<Reply> {
    const begin = performance.now();
    try {
      const { socket, status, head } = await this.#upgrade(path, options.body);
      this.#note(name, begin, { status, body: head }, options.expect ?? [101]);
      if (!socket) return { status, body: head };
      return { status, body: Buffer.concat([head, await converse(socket, options)]) };
    } catch (error) {
      return this.#broken(name, begin, error);
    }
  }

  /** Closes the connections that it keeps; the next call opens one. */
  close(): void {
    this.#agent.destroy();
  }

  #request(
    method: string,
    path: string,
    headers: Record<string, string | number>,
    agent: Agent | false,
  ): ClientRequest {
    return request({ socketPath: this.#socket, method, path: `/v1.47${path}`, headers, agent });
  }

  #ask(method: string, path: string, body: unknown, leave?: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const bytes = bodyBytes(body);
      const type = body instanceof Uint8Array ? "application/x-tar" : "application/json";
      const headers = bytes ? { "Content-Type": type, "Content-Length": bytes.length } : {};
      // A stream that is left takes its connection with it.
      const asking = this.#request(method, path, headers, leave ? false : this.#agent);
      leave?.addEventListener("abort", () => asking.destroy(new Error("left")), { once: true });
      // On a connection that breaks more than one may come.
      asking.on("error", reject);
      asking.once("response", resolve);
      asking.end(bytes);
    });
  }

  #upgrade(path: string, body: unknown): Promise<{ socket?: Socket; status: number; head: Buffer }> {
    return new Promise((resolve, reject) => {
      const bytes = bodyBytes(body);
      const headers = {
        Connection: "Upgrade",
        Upgrade: "tcp",
        ...(bytes ? { "Content-Type": "application/json", "Content-Length": bytes.length } : {}),
      };
      const asking = this.#request("POST", path, headers, false);
      // On a connection that breaks more than one may come.
      asking.on("error", reject);
      asking.once("upgrade", (response, socket, head) => resolve({ socket, status: response.statusCode ?? 0, head }));
      asking.once("response", async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk);
        resolve({ status: response.statusCode ?? 0, head: Buffer.concat(chunks) });
      });
      asking.end(bytes);
    });
  }

  #note(name: string, begin: number, { status, body }: Reply, expected: readonly number[] | undefined): void {
    const isFine = expected ? expected.includes(status) : status < 300;
    const record = { name, status, milliseconds: performance.now() - begin };
    this.#report(isFine ? record : { ...record, problem: `${status} ${body.toString("utf8").slice(0, 300).trim()}` });
  }

  async #broken(name: string, begin: number, error: unknown): Promise<Reply> {
    const problem = error instanceof Error ? error.message : String(error);
    this.#report({ name, status: 0, milliseconds: performance.now() - begin, problem });
    // An engine that is down is not asked without pause.
    await delay(50);
    return { status: 0, body: Buffer.alloc(0) };
  }
}

function bodyBytes(body: unknown): Uint8Array | undefined {
  if (body === undefined || body instanceof Uint8Array) return body;
  return Buffer.from(JSON.stringify(body));
}

function converse(
  socket: Socket,
  { input, milliseconds }: { readonly input?: string; readonly milliseconds?: number },
): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const timer = milliseconds === undefined ? undefined : setTimeout(() => socket.destroy(), milliseconds);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => undefined);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
    // Both halves: the engine's end is the end.
    socket.once("end", () => socket.end());
    if (input !== undefined) socket.end(input);
  });
}
