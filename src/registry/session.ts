import { BerthError, CancelledError, errorMessage, UnavailableError } from "#errors/errors.ts";
import { type RetryPolicy, retry } from "#lib/retry.ts";
import { withAuthorization } from "./authorization.ts";
import { type Challenge, chooseChallenge } from "./challenge.ts";
import { TransientError } from "./connection-error.ts";
import type { Credentials } from "./credentials.ts";
import { apiUrl, type Endpoint } from "./endpoint.ts";
import { responseError, responseProblem } from "./response-error.ts";
import type { TokenSource } from "./token-source.ts";
import type { RegistryRequest, Transport } from "./transport.ts";

/** A connection to one repository at one endpoint: paths in, checked responses out. */
export interface Session {
  readonly endpoint: Endpoint;
  /** What the endpoint's `/v2/` asked for, if anything. */
  readonly challenge?: Challenge;
  /** Once, without retry: for bodies that cannot be sent again. */
  send(request: SessionRequest): Promise<Response>;
  /** With back-off on connection failures, 429 and 5xx. */
  sendWithRetry(request: SessionRequest): Promise<Response>;
}

export interface SessionRequest extends Omit<RegistryRequest, "url"> {
  /** Below `/v2/`, or a whole URL that the registry gave. */
  readonly path: string | URL;
  /** Statuses that are answers; every other one is thrown as an error. Default: 2xx. */
  readonly expect?: readonly number[];
}

export interface SessionOptions {
  readonly endpoint: Endpoint;
  /** Redirects included, authorization not. */
  readonly transport: (authorized: (inner: Transport) => Transport) => Transport;
  readonly tokens: TokenSource;
  readonly credentials: Credentials;
  /** As in AuthorizationScope. */
  readonly scope: string;
  readonly retryPolicy: RetryPolicy;
  readonly signal?: AbortSignal;
}

/**
 * Asks the endpoint's `/v2/` what it wants, and makes a session of it. Credentials are for the registry itself: a mirror gets none.
 * Throws TransientError or UnavailableError in Docker's words when it does not answer.
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { endpoint } = options;
  const challenge = await ping(options);
  const transport = options.transport((inner) =>
    withAuthorization(inner, options.tokens, {
      origin: endpoint.origin,
      scope: options.scope,
      credentials: endpoint.isMirror ? {} : options.credentials,
      ...(challenge ? { challenge } : {}),
    }),
  );
  const send = (request: SessionRequest): Promise<Response> => sendChecked(transport, endpoint, request);
  return {
    endpoint,
    ...(challenge ? { challenge } : {}),
    send,
    sendWithRetry: (request) => retryTransient(() => send(request), options.retryPolicy, request.signal),
  };
}

/** Retries what may pass, waiting as long as a server asked for. */
export function retryTransient<T>(
  work: () => Promise<T>,
  policy: RetryPolicy,
  signal?: AbortSignal,
  progress?: () => number,
): Promise<T> {
  return cancellable(
    retry(work, {
      policy,
      isTransient: (error) => isWorthWaiting(error, policy),
      askedDelay: (error) => (error instanceof TransientError ? error.retryAfter : undefined),
      ...(signal ? { signal } : {}),
      ...(progress ? { progress } : {}),
    }),
    signal,
  );
}

/** A registry that has given out what it gives in a day asks for hours: nobody waits for that. */
function isWorthWaiting(error: unknown, { maxDelay }: RetryPolicy): error is TransientError {
  return error instanceof TransientError && (error.retryAfter ?? 0) <= maxDelay;
}

async function ping(options: SessionOptions): Promise<Challenge | undefined> {
  const transport = options.transport((inner) => inner);
  const request: RegistryRequest = {
    method: "GET",
    url: apiUrl(options.endpoint, ""),
    ...(options.signal ? { signal: options.signal } : {}),
  };
  const attempt = async (): Promise<Response> => {
    const response = await transport(request);
    if (response.status < 500 && response.status !== 429) return response;
    throw responseError(request, response, await responseProblem(response));
  };
  const response = await cancellable(
    retry(attempt, {
      policy: options.retryPolicy,
      // Nobody listens: the person who typed the name wants to know now.
      isTransient: (error) => isWorthWaiting(error, options.retryPolicy) && !error.refused,
      askedDelay: (error) => (error instanceof TransientError ? error.retryAfter : undefined),
      ...(options.signal ? { signal: options.signal } : {}),
    }),
    options.signal,
  );
  await response.body?.cancel();
  return response.status === 401 ? chooseChallenge(response.headers.get("www-authenticate")) : undefined;
}

async function sendChecked(transport: Transport, endpoint: Endpoint, request: SessionRequest): Promise<Response> {
  const { path, expect, ...rest } = request;
  const url = typeof path === "string" ? apiUrl(endpoint, path) : path;
  const response = await transport({ ...rest, url });
  if (expect ? expect.includes(response.status) : response.ok) return response;
  throw responseError({ ...rest, url }, response, await responseProblem(response));
}

async function cancellable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (signal?.aborted) throw new CancelledError("cancelled", { cause: error });
    if (error instanceof BerthError) throw error;
    throw new UnavailableError(errorMessage(error), { cause: error });
  }
}
