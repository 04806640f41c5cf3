import { CancelledError, UnavailableError } from "#errors/errors.ts";
import { API_VERSION } from "#spec/docker-system.ts";
import type { Engine, EngineRequest, EngineResponse, EngineStream, QueryValue, RequestBody } from "../engine.ts";
import { EngineError, EngineUnreachableError } from "../engine-error.ts";
import { LAST_CHUNK, writeChunk } from "./chunked-body.ts";
import type { Endpoint } from "./endpoint.ts";
import { type EngineSocket, openEngineSocket } from "./engine-socket.ts";
import { PushbackReader, type ResponseHead, readBody, readResponseHead, writeRequestHead } from "./http-message.ts";

const MAX_ERROR_BODY = 64 * 1024;

export interface HttpEngineOptions {
  /** Version in the paths; the newest by default. */
  readonly apiVersion?: string | undefined;
  /** Sent with every request, behind those that frame it. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Called once when nobody listens at a default endpoint; the request is then tried again. */
  readonly startEngine?: () => Promise<void>;
}

/** The engine behind a socket. Every request opens its own connection: on a unix socket that costs 0.1 ms and needs no pool. */
export class HttpEngine implements Engine {
  readonly endpoint: Endpoint;
  #version: string;
  /** Whether an older engine may be spoken to in its own version. */
  #isNegotiable: boolean;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #startEngine: (() => Promise<void>) | undefined;

  constructor(endpoint: Endpoint, options: HttpEngineOptions = {}) {
    this.endpoint = endpoint;
    this.#version = options.apiVersion || API_VERSION.newest;
    this.#headers = options.headers ?? {};
    this.#isNegotiable = !options.apiVersion && !endpoint.isDefault;
    this.#startEngine = endpoint.isDefault ? options.startEngine : undefined;
  }

  async send(request: EngineRequest): Promise<EngineResponse> {
    const exchange = await this.#exchange(request, { Connection: "close" });
    if (request.method === "HEAD") exchange.socket.destroy();
    const body = request.method === "HEAD" ? noBody() : bodyOf(exchange, request.signal);
    return { status: exchange.head.status, headers: exchange.head.headers, body };
  }

  async upgrade(request: EngineRequest): Promise<EngineStream> {
    const exchange = await this.#exchange(request, { Connection: "Upgrade", Upgrade: "tcp" });
    const { socket, reader } = exchange;
    // Engines of old answer 200 and not 101, and then speak raw all the same.
    return {
      output: rawOutput(reader),
      write: (bytes) => socket.write(bytes),
      end: () => socket.end(),
      destroy: () => socket.destroy(),
    };
  }

  /**
   * As `#exchangeOnce`, and again in the engine's own version when that is older. A body that streams can be sent once only, so that the
   * version must be known by then.
   */
  async #exchange(request: EngineRequest, headers: Readonly<Record<string, string>>): Promise<Exchange> {
    if (this.#isNegotiable && request.body && "bytes" in request.body) await this.#learnVersion();
    try {
      const exchange = await this.#exchangeOnce(request, headers);
      // It speaks this version: whatever is asked next need not find out.
      this.#isNegotiable = false;
      return exchange;
    } catch (error) {
      const older = this.#isNegotiable ? maximumVersion(error) : undefined;
      if (older === undefined) throw error;
      this.#isNegotiable = false;
      this.#version = older;
      return await this.#exchangeOnce(request, headers);
    }
  }

  async #learnVersion(): Promise<void> {
    const { socket } = await this.#exchange({ method: "GET", path: "/_ping" }, { Connection: "close" });
    socket.destroy();
  }

  /** Sends the request and reads the head of the answer. Throws EngineError when that is 400 or more. */
  async #exchangeOnce(request: EngineRequest, headers: Readonly<Record<string, string>>): Promise<Exchange> {
    if (request.signal?.aborted) throw new CancelledError("cancelled");
    const socket = await this.#connect();
    const onAbort = (): void => socket.destroy();
    request.signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const reader = new PushbackReader(socket);
      const failed = sendRequest(socket, request, `/v${this.#version}`, { ...this.#headers, ...headers }).then(
        waitForAnswer,
        ignoreRefusal,
      );
      const head = await Promise.race([readResponseHead(reader), failed]);
      const exchange = { socket, reader, head };
      if (head.status >= 400) throw await readError(exchange, request.method);
      return exchange;
    } catch (error) {
      socket.destroy();
      throw request.signal?.aborted ? new CancelledError("cancelled", { cause: error }) : error;
    }
  }

  async #connect(): Promise<EngineSocket> {
    try {
      return await openEngineSocket(this.endpoint);
    } catch (error) {
      if (!this.#startEngine || !(error instanceof EngineUnreachableError) || isDenied(error)) throw error;
    }
    await this.#startEngine();
    return openEngineSocket(this.endpoint);
  }
}

interface Exchange {
  readonly socket: EngineSocket;
  readonly reader: PushbackReader;
  readonly head: ResponseHead;
}

/** The engine may refuse before it has read the whole body: then its answer counts and not the broken connection. */
function ignoreRefusal(error: unknown): Promise<never> {
  if (error instanceof UnavailableError) return waitForAnswer();
  throw error;
}

function waitForAnswer(): Promise<never> {
  return new Promise(() => undefined);
}

async function sendRequest(
  socket: EngineSocket,
  request: EngineRequest,
  prefix: string,
  connection: Readonly<Record<string, string>>,
): Promise<void> {
  const path = `${prefix}${request.path}${encodeQuery(request.query ?? {})}`;
  const { body } = request;
  const whole = body && wholeBody(body);
  const head = Buffer.from(
    writeRequestHead(request.method, path, {
      Host: "api.moby.localhost",
      "User-Agent": "Berth-Client/0.1.0 (linux)",
      ...connection,
      ...framing(request, whole),
      ...request.headers,
    }),
  );
  await socket.write(whole ? Buffer.concat([head, whole]) : head);
  if (!body || !("bytes" in body)) return;
  for await (const bytes of body.bytes) if (bytes.length > 0) await socket.write(writeChunk(bytes));
  await socket.write(LAST_CHUNK);
}

/** Undefined for one that streams. */
function wholeBody(body: RequestBody): Uint8Array | undefined {
  if ("json" in body) return Buffer.from(JSON.stringify(body.json));
  return "whole" in body ? body.whole : undefined;
}

function framing({ method, body }: EngineRequest, whole: Uint8Array | undefined): Readonly<Record<string, string>> {
  if (!body) return method === "GET" || method === "HEAD" ? {} : { "Content-Length": "0" };
  const type = "json" in body ? "application/json" : body.type;
  const length = whole ? { "Content-Length": String(whole.length) } : { "Transfer-Encoding": "chunked" };
  return { "Content-Type": type, ...length };
}

async function* bodyOf(exchange: Exchange, signal: AbortSignal | undefined): AsyncGenerator<Buffer, void, void> {
  try {
    yield* readBody(exchange.reader, exchange.head);
  } catch (error) {
    throw signal?.aborted ? new CancelledError("cancelled", { cause: error }) : error;
  } finally {
    exchange.socket.destroy();
  }
}

async function* noBody(): AsyncGenerator<Buffer, void, void> {}

async function* rawOutput(reader: PushbackReader): AsyncGenerator<Buffer, void, void> {
  for (let bytes = await reader.read(); bytes; bytes = await reader.read()) yield bytes;
}

/** `?a=1&b=x`, or nothing. */
function encodeQuery(query: Readonly<Record<string, QueryValue>>): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === false) continue;
    for (const one of Array.isArray(value) ? value : [value === true ? "1" : String(value)]) {
      parts.push(`${name}=${encodeURIComponent(String(one))}`);
    }
  }
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

async function readError(exchange: Exchange, method: EngineRequest["method"]): Promise<EngineError> {
  const { status } = exchange.head;
  // Whatever length its answer names, it has no body.
  if (method === "HEAD") return new EngineError(status, `request returned status ${status}`);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of readBody(exchange.reader, exchange.head)) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_ERROR_BODY) break;
  }
  const text = Buffer.concat(chunks).toString("utf8").trim();
  return new EngineError(status, messageIn(text) ?? (text || `request returned status ${status}`));
}

/** The newest version that an engine knows which refused a newer one. */
function maximumVersion(error: unknown): string | undefined {
  if (!(error instanceof EngineError) || error.status !== 400) return undefined;
  return /client version \S+ is too new\. Maximum supported API version is (\d+\.\d+)/.exec(error.reason)?.[1];
}

function messageIn(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    const message = typeof parsed === "object" && parsed !== null && "message" in parsed ? parsed.message : undefined;
    return typeof message === "string" ? message.trim() : undefined;
  } catch {
    return undefined;
  }
}

function isDenied(error: EngineUnreachableError): boolean {
  return error.message.startsWith("permission denied");
}
