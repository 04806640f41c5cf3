import { type BerthError, errorCode, errorMessage, UnavailableError } from "#errors/errors.ts";
import { connectionReason } from "#lib/connection-reason.ts";
import { redactUrl } from "./redact.ts";
import type { RegistryRequest } from "./transport.ts";

/** A failure that may be gone the next time: a broken connection, 5xx, 429. */
export class TransientError extends UnavailableError {
  /** How long the server asked to wait, ms. */
  readonly retryAfter: number | undefined;
  /** Whether nothing came back at all: nobody may be listening there. */
  readonly refused: boolean;

  constructor(message: string, options: { cause?: unknown; retryAfter?: number | undefined; refused?: boolean } = {}) {
    super(message, options);
    this.retryAfter = options.retryAfter;
    this.refused = options.refused ?? false;
  }
}

/** Trying again does not help against these. */
const LASTING: ReadonlySet<string> = new Set(["ENOTFOUND", "EPROTO"]);
const REFUSED: ReadonlySet<string> = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN"]);

export interface ConnectionFailure {
  /** We gave up waiting. */
  readonly timedOut: boolean;
  /** The server spoke TLS, and would not have us. */
  readonly refusedUs: boolean;
}

/** The error of a request that got no response. */
export function connectionError(request: RegistryRequest, cause: unknown, failure: ConnectionFailure): BerthError {
  const code = errorCode(cause) ?? "";
  const { timedOut } = failure;
  const words = connectionReason(code, request.url) ?? errorMessage(cause);
  const awaited = timedOut ? "net/http: timeout awaiting response headers" : words;
  const reason = failure.refusedUs ? "tls: the server ended the handshake: it may want a client certificate" : awaited;
  const message = `${requestLine(request)}: ${reason}`;
  const isLasting = LASTING.has(code) || reason.startsWith("tls:");
  return isLasting
    ? new UnavailableError(message, { cause })
    : new TransientError(message, { cause, refused: timedOut || REFUSED.has(code) });
}

/** `Get "https://host/v2/"`, as Go begins such messages. */
export function requestLine(request: Pick<RegistryRequest, "method" | "url">): string {
  const method = request.method.charAt(0) + request.method.slice(1).toLowerCase();
  return `${method} "${redactUrl(request.url)}"`;
}
