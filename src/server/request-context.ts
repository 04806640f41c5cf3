import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { InvalidParameterError } from "#errors/errors.ts";
import { parseGoBool } from "#lib/go-bool.ts";
import type { Decoder } from "#lib/json-decoder.ts";
import { compareVersions } from "./api-version.ts";
import { checkForJson, decodeInDockersWords, parseJson } from "./json-body.ts";
import { writeTo } from "./streams/back-pressure.ts";
import { type Answer, type HijackedConnection, hijack, upgrade } from "./streams/hijack.ts";
import { openWebSocket } from "./streams/web-socket.ts";

/** Bodies that are read whole are small documents; anything larger is an attack or a mistake. */
const MAX_JSON_BODY = 8 * 1024 * 1024;

/** One request: what a handler may read, and the ways to answer it. Exactly one of the answers is given. */
export class RequestContext {
  readonly request: IncomingMessage;
  readonly path: string;
  readonly query: URLSearchParams;
  /** API version of the path, or the newest. */
  readonly version: string;
  readonly params: Readonly<Record<string, string>>;
  /** Aborts when the client goes away before the answer has ended. */
  readonly signal: AbortSignal;
  readonly #answer: Answer;
  readonly #abort = new AbortController();
  #answered = false;

  constructor(
    request: IncomingMessage,
    answer: Answer,
    target: {
      readonly path: string;
      readonly query: URLSearchParams;
      readonly version: string;
      readonly params: Readonly<Record<string, string>>;
    },
  ) {
    this.request = request;
    this.path = target.path;
    this.query = target.query;
    this.version = target.version;
    this.params = target.params;
    this.signal = this.#abort.signal;
    this.#answer = answer;
    if ("response" in answer) {
      answer.response.once("close", () => {
        if (!answer.response.writableFinished) this.#abort.abort();
      });
    } else answer.socket.once("close", () => this.#abort.abort());
  }

  get answered(): boolean {
    return this.#answered || ("response" in this.#answer && this.#answer.response.headersSent);
  }

  /** Whether the client speaks an older API than this, where answers had another form. */
  isBefore(version: string): boolean {
    return compareVersions(this.version, version) < 0;
  }

  param(name: string): string {
    return this.params[name] ?? "";
  }

  /** Docker's booleans: absent, "", "0", "false", "no", "none" are false. */
  flag(name: string): boolean {
    const value = (this.query.get(name) ?? "").toLowerCase().trim();
    return !["", "0", "no", "false", "none"].includes(value);
  }

  /** Throws InvalidParameterError for a null byte: neither paths nor arguments of programs can have one. */
  text(name: string): string {
    const value = this.query.get(name) ?? "";
    if (value.includes("\0")) throw new InvalidParameterError(`invalid value for ${name}: it contains a null byte`);
    return value;
  }

  /** Of query parameters that must be what Go's ParseBool reads; false when absent or empty. Throws InvalidParameterError. */
  strictFlag(name: string): boolean {
    const value = this.text(name);
    const isTrue = value === "" ? false : parseGoBool(value);
    if (isTrue !== undefined) return isTrue;
    const quoted = JSON.stringify(value);
    throw new InvalidParameterError(
      `invalid value for ${name}: ${value}: strconv.ParseBool: parsing ${quoted}: invalid syntax`,
    );
  }

  header(name: string): string {
    const value = this.request.headers[name];
    return Array.isArray(value) ? (value[0] ?? "") : (value ?? "");
  }

  /** All values of a header that comes several times, or has a list. */
  headerValues(name: string): readonly string[] {
    const given = this.request.headersDistinct[name] ?? [];
    return given.flatMap((value) => value.split(",").map((one) => one.trim())).filter((value) => value !== "");
  }

  /** The `filters` parameter: `{"label":["a=b"]}` or, from older clients, `{"label":{"a=b":true}}`. */
  filters(): Map<string, string[]> {
    const text = this.text("filters");
    if (text === "") return new Map();
    const parsed = parsedFilters(text);
    return new Map(Object.entries(parsed).map(([name, values]) => [name, filterValues(values)]));
  }

  /**
   * The whole body, JSON that `decode` reads; an empty body and null are `{}`. `required`: there must be one. Throws InvalidParameterError
   * in the words of Docker's ReadJSON. https://github.com/moby/moby/blob/v28.2.2/api/server/httputils/httputils.go
   */
  async json<T>(decode: Decoder<T>, options: { readonly required?: boolean } = {}): Promise<T> {
    checkForJson(this.header("content-type"), this.hasBody);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.request) {
      size += chunk.length;
      // Read to its end all the same: a client sends all of it before it listens.
      if (size <= MAX_JSON_BODY) chunks.push(Buffer.from(chunk));
    }
    if (size > MAX_JSON_BODY) throw new InvalidParameterError("request body too large");
    const text = Buffer.concat(chunks).toString("utf8").trim();
    if (text === "" && options.required)
      throw new InvalidParameterError("invalid JSON: got EOF while reading request body");
    return decodeInDockersWords(decode, text === "" ? {} : (parseJson(text) ?? {}));
  }

  /** Whether the client sends a body, as far as its headers tell. */
  get hasBody(): boolean {
    return this.header("transfer-encoding") !== "" || Number(this.header("content-length") || 0) > 0;
  }

  /** A header of the answer, before it is given. */
  setHeader(name: string, value: string): void {
    if ("response" in this.#answer) this.#answer.response.setHeader(name, value);
  }

  sendJson(status: number, body: unknown): void {
    this.#send(status, "application/json", `${JSON.stringify(body)}\n`);
  }

  sendText(status: number, text: string, contentType = "text/plain; charset=utf-8"): void {
    this.#send(status, contentType, text);
  }

  sendEmpty(status: number): void {
    this.#send(status, undefined, "");
  }

  /** Starts a streamed answer, headers at once. The returned writer keeps back-pressure. */
  stream(contentType: string, status = 200): ResponseWriter {
    if (!("response" in this.#answer)) throw new InvalidParameterError("this call does not take an Upgrade header");
    this.#answered = true;
    const { response } = this.#answer;
    response.writeHead(status, { "Content-Type": contentType });
    response.flushHeaders();
    return new ResponseWriter(response);
  }

  /** Takes the connection over: raw bytes both ways from here on (with Upgrade), or an answer that streams out (without). */
  hijack(contentType: string): HijackedConnection {
    this.#answered = true;
    return hijack(this.request, this.#answer, contentType);
  }

  /** Takes the connection over for the protocol that the client asked for. */
  upgrade(): Duplex {
    if (!("socket" in this.#answer)) throw new InvalidParameterError("no upgrade proto in request");
    this.#answered = true;
    return upgrade(this.request, this.#answer);
  }

  /** Takes the connection over as a WebSocket. Throws InvalidParameterError when the client did not ask for one. */
  webSocket(): HijackedConnection {
    const connection = openWebSocket(this.request, this.#answer);
    this.#answered = true;
    return connection;
  }

  #send(status: number, contentType: string | undefined, text: string): void {
    this.#answered = true;
    const body = Buffer.from(text);
    const headers = {
      ...(contentType ? { "Content-Type": contentType } : {}),
      ...(status === 204 || status === 304 ? {} : { "Content-Length": String(body.length) }),
    };
    if ("response" in this.#answer) {
      this.#answer.response.writeHead(status, headers).end(body.length > 0 ? body : undefined);
      return;
    }
    const lines = Object.entries({ ...headers, Connection: "close" }).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}\r\n`;
    this.#answer.socket.end(Buffer.concat([Buffer.from(head), body]));
  }
}

/** A streamed answer. `write` resolves when the client can take more, or has gone. */
export class ResponseWriter {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  write(bytes: Uint8Array | string): Promise<void> {
    return writeTo(this.#response, bytes);
  }

  writeJsonLine(value: unknown): Promise<void> {
    return this.write(`${JSON.stringify(value)}\r\n`);
  }

  end(): void {
    this.#response.end();
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsedFilters(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    // As Go decodes it: null is as if it were not there, here and as the values of a filter.
    if (isObject(parsed)) return parsed;
    if (parsed === null) return {};
  } catch {
    // As bad as what is no object.
  }
  throw new InvalidParameterError("invalid filter");
}

function filterValues(values: unknown): string[] {
  if (Array.isArray(values) && values.every((value) => typeof value === "string")) return values;
  if (values === null) return [];
  // The form of old: a set. What the booleans say matters no more to dockerd.
  if (isObject(values) && Object.values(values).every((value) => typeof value === "boolean"))
    return Object.keys(values);
  throw new InvalidParameterError("invalid filter");
}
