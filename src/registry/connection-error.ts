import { type BerthError, errorCode, errorMessage, UnavailableError } from "#errors/errors.ts";
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

/** The text after the request for each failure of a connection, as Go's net package words it: people and scripts look for these. */
const REASONS: Readonly<Record<string, (url: URL) => string>> = {
  ENOTFOUND: (url) => `dial tcp: lookup ${url.hostname}: no such host`,
  EAI_AGAIN: (url) => `dial tcp: lookup ${url.hostname}: Temporary failure in name resolution`,
  ECONNREFUSED: (url) => `dial tcp ${address(url)}: connect: connection refused`,
  EHOSTUNREACH: (url) => `dial tcp ${address(url)}: connect: no route to host`,
  ENETUNREACH: (url) => `dial tcp ${address(url)}: connect: network is unreachable`,
  ETIMEDOUT: (url) => `dial tcp ${address(url)}: i/o timeout`,
  ECONNRESET: () => "read tcp: connection reset by peer",
  EPIPE: () => "write tcp: broken pipe",
  EPROTO: () => "http: server gave HTTP response to HTTPS client",
  CERT_HAS_EXPIRED: () => "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
  DEPTH_ZERO_SELF_SIGNED_CERT: () => "tls: failed to verify certificate: x509: certificate signed by unknown authority",
  SELF_SIGNED_CERT_IN_CHAIN: () => "tls: failed to verify certificate: x509: certificate signed by unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () =>
    "tls: failed to verify certificate: x509: certificate signed by unknown authority",
  ERR_TLS_CERT_ALTNAME_INVALID: (url) =>
    `tls: failed to verify certificate: x509: certificate is not valid for ${url.hostname}`,
};
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
  const words = REASONS[code]?.(request.url) ?? errorMessage(cause);
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

function address(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
}
