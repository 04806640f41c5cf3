import type { Endpoint } from "./connection/endpoint.ts";

export type QueryValue = string | number | boolean | readonly string[] | undefined;

/** JSON, bytes that are at hand, or bytes that stream (sent chunked, and once only). */
export type RequestBody =
  | { readonly json: unknown }
  | { readonly whole: Uint8Array; readonly type: string }
  | { readonly bytes: AsyncIterable<Uint8Array>; readonly type: string };

/** One call of the Docker Engine API. */
export interface EngineRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** Without the version: `/containers/json`. Parts that users name are already escaped. */
  readonly path: string;
  /** `undefined` and `false` are left out; `true` becomes 1; a list repeats its name. */
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  readonly signal?: AbortSignal | undefined;
}

export interface EngineResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Streams with back-pressure. Leaving the loop early closes the connection. */
  readonly body: AsyncIterable<Buffer>;
}

/** A connection that the engine has given over after an Upgrade: raw bytes both ways. */
export interface EngineStream {
  /** Frames of stdout and stderr (formats/stdcopy.ts) or, with a terminal, its bytes. */
  readonly output: AsyncIterable<Buffer>;
  write(bytes: Uint8Array): Promise<void>;
  /** Ends stdin; output goes on. */
  end(): void;
  destroy(): void;
}

/**
 * An engine, as all endpoint functions see it. An answer of 400 and more is thrown as EngineError; nobody there as
 * EngineUnreachableError; an aborted signal as CancelledError.
 */
export interface Engine {
  readonly endpoint: Endpoint;
  send(request: EngineRequest): Promise<EngineResponse>;
  upgrade(request: EngineRequest): Promise<EngineStream>;
}
