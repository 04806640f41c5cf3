import { CancelledError, errorCode } from "#errors/errors.ts";
import type { Certificates } from "./certificates.ts";
import { connectionError } from "./connection-error.ts";
import { type Environment, proxyFor } from "./proxy.ts";

/** A request to a registry, or to a server that it points to. */
export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes the body; called again when the request is sent again. */
  readonly body?: () => RequestBody;
  readonly signal?: AbortSignal;
}

export type RequestBody = Uint8Array | string | AsyncIterable<Uint8Array>;

/** Sends a request and resolves with its response, whatever its status. Wrappers (redirects, authorization, retry) have the same type. */
export type Transport = (request: RegistryRequest) => Promise<Response>;

export interface FetchOptions {
  readonly userAgent: string;
  /** Whether the certificate of this host (with port) may be anything: an insecure registry's. */
  readonly skipsVerification: (host: string) => boolean;
  readonly certificates: Certificates;
  /** Where the proxies are named; the process's own by default. */
  readonly environment?: Environment;
}

/** How long a server may take to answer with headers, ms. An upload's time counts from its last byte. */
const HEADERS_TIMEOUT = 30_000;

/**
 * The innermost transport. Bodies come as they are on the wire: fetch would undo a Content-Encoding, and digests are of the
 * encoded bytes. Throws CancelledError, or a connection error in Docker's words (see connection-error.ts).
 */
export function fetchTransport(options: FetchOptions): Transport {
  return async (request) => {
    const timeout = new AbortController();
    const timer = request.body ? undefined : setTimeout(() => timeout.abort(), HEADERS_TIMEOUT);
    const settings = connectionSettings(request.url, options);
    const signal = request.signal ? AbortSignal.any([request.signal, timeout.signal]) : timeout.signal;
    try {
      return await fetch(request.url, { ...init(request, options, signal), ...settings });
    } catch (cause) {
      if (request.signal?.aborted) throw new CancelledError("cancelled", { cause });
      const isMuddled = errorCode(cause) === "EPROTO" && request.url.protocol === "https:";
      throw connectionError(request, cause, {
        timedOut: timeout.signal.aborted,
        refusedUs: isMuddled && (await speaksTls(request.url)),
      });
    } finally {
      clearTimeout(timer);
    }
  };
}

function init(request: RegistryRequest, options: FetchOptions, signal: AbortSignal): BunFetchRequestInit {
  const body = request.body?.();
  return {
    method: request.method,
    headers: { "user-agent": options.userAgent, "accept-encoding": "identity", ...request.headers },
    redirect: "manual",
    decompress: false,
    signal,
    ...(body === undefined ? {} : { body: body as NonNullable<BunFetchRequestInit["body"]> }),
  };
}

/**
 * The runtime has one error for a server that speaks no TLS and for one that ends the handshake because it wants a client certificate. Asking
 * again, without a certificate check, tells the two apart.
 */
async function speaksTls(url: URL): Promise<boolean> {
  const { connect } = await import("node:tls");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const socket = connect({ host, port: Number(url.port || 443), rejectUnauthorized: false, timeout: 5000 });
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once("secureConnect", () => resolve(true));
      for (const event of ["error", "close", "timeout"]) socket.once(event, () => resolve(false));
    });
  } finally {
    socket.on("error", () => undefined).destroy();
  }
}

/** Whom to trust, and the proxy to go through. */
function connectionSettings(url: URL, options: FetchOptions): BunFetchRequestInit {
  const proxy = proxyFor(url, options.environment ?? process.env);
  // Without a proxy of ours the runtime would look for one itself; only `false` keeps it from that, which its types do not know.
  const way = { proxy: proxy ?? (false as unknown as string) };
  if (url.protocol !== "https:") return way;
  const { ca, ...pair } = options.certificates.forHost(url.host);
  const verified = options.skipsVerification(url.host) ? { rejectUnauthorized: false } : {};
  return { ...way, tls: { ...(ca ? { ca: [...ca] } : {}), ...pair, ...verified } };
}
