import { createHash } from "node:crypto";
import { UnauthorizedError, UnavailableError } from "#errors/errors.ts";
import type { Challenge } from "./challenge.ts";
import { requestLine } from "./connection-error.ts";
import { basicAuthorization, type Credentials } from "./credentials.ts";
import { isLoopback } from "./endpoint.ts";
import { problemText, readBounded, responseError, responseProblem } from "./response-error.ts";
import type { RegistryRequest, Transport } from "./transport.ts";

const MAX_TOKEN_BODY = 1024 * 1024;
/** What a token lives when the server does not say, seconds. https://distribution.github.io/distribution/spec/auth/token/ */
const DEFAULT_LIFETIME = 60;
const CLIENT_ID = "berth";
/** A token is not used in its last moments, ms. */
const MARGIN = 5000;

/** Fetches bearer tokens and keeps them while they live, per server, scope and credentials. */
export class TokenSource {
  readonly #tokens = new Map<string, { readonly token: string; readonly expires: number }>();

  /**
   * A token for `scope` (space-separated). Throws UnauthorizedError with the server's words when the credentials are wrong.
   * `fresh` passes over a kept token that the registry has refused.
   */
  async token(
    challenge: Challenge,
    scope: string,
    credentials: Credentials,
    transport: Transport,
    options: { readonly fresh: boolean; readonly signal?: AbortSignal },
  ): Promise<string> {
    const key = cacheKey(challenge, scope, credentials);
    const kept = this.#tokens.get(key);
    if (kept && !options.fresh && kept.expires - MARGIN > Date.now()) return kept.token;
    const fetched = await fetchToken(tokenRequest(challenge, scope, credentials), transport, options.signal);
    this.#dropExpired();
    this.#tokens.set(key, fetched);
    return fetched.token;
  }

  /**
   * Proves credentials to the token server, as a login does. Resolves with the refresh token that it gives in their place, if it gives one.
   * Throws UnauthorizedError with the server's words.
   */
  async login(
    challenge: Challenge,
    credentials: Credentials,
    transport: Transport,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const request = tokenRequest(challenge, "", credentials);
    if (request.method === "GET") {
      request.url.searchParams.set("offline_token", "true");
      request.url.searchParams.set("client_id", CLIENT_ID);
    }
    return (await fetchToken(request, transport, signal)).refreshToken;
  }

  #dropExpired(): void {
    for (const [key, { expires }] of this.#tokens) if (expires < Date.now()) this.#tokens.delete(key);
  }
}

async function fetchToken(
  asked: RegistryRequest,
  transport: Transport,
  signal: AbortSignal | undefined,
): Promise<{ token: string; expires: number; refreshToken: string | undefined }> {
  const request = { ...asked, ...(signal ? { signal } : {}) };
  const response = await transport(request);
  if (!response.ok) {
    const problem = await responseProblem(response);
    if (response.status === 401 || response.status === 403)
      throw new UnauthorizedError(`${requestLine(request)}: ${problemText(problem)}`, { cause: problem });
    throw responseError(request, response, problem);
  }
  const answer = parseAnswer(await readBounded(response, MAX_TOKEN_BODY, requestLine(request)));
  const token = answer.token ?? answer.access_token;
  if (typeof token !== "string") {
    throw new UnavailableError(`${requestLine(request)}: authorization server did not include a token in the response`);
  }
  const lifetime = typeof answer.expires_in === "number" ? answer.expires_in : DEFAULT_LIFETIME;
  const refreshToken = typeof answer.refresh_token === "string" ? answer.refresh_token : undefined;
  return { token, expires: Date.now() + lifetime * 1000, refreshToken };
}

function tokenRequest(challenge: Challenge, scope: string, credentials: Credentials): RegistryRequest {
  const { realm = "", service = "" } = challenge.parameters;
  const url = realmUrl(realm);
  if (credentials.identityToken) {
    // https://distribution.github.io/distribution/spec/auth/oauth/
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: credentials.identityToken,
      service,
      scope,
      client_id: CLIENT_ID,
    }).toString();
    return { method: "POST", url, headers: { "content-type": "application/x-www-form-urlencoded" }, body: () => form };
  }
  if (service) url.searchParams.set("service", service);
  for (const part of scope.split(" ").filter(Boolean)) url.searchParams.append("scope", part);
  if (credentials.username) url.searchParams.set("account", credentials.username);
  const authorization = basicAuthorization(credentials);
  return { method: "GET", url, ...(authorization ? { headers: { authorization } } : {}) };
}

/** Passwords go to https only, and to this machine. */
function realmUrl(realm: string): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  if (!url || !isSafe) {
    throw new UnavailableError(`registry asks to log in at "${realm.slice(0, 200)}": expected an https address`);
  }
  return url;
}

interface TokenAnswer {
  readonly token?: unknown;
  readonly access_token?: unknown;
  readonly expires_in?: unknown;
  readonly refresh_token?: unknown;
}

function parseAnswer(body: Uint8Array): TokenAnswer {
  try {
    return JSON.parse(new TextDecoder().decode(body)) ?? {};
  } catch {
    return {};
  }
}

function cacheKey(challenge: Challenge, scope: string, credentials: Credentials): string {
  const identity = createHash("sha256").update(JSON.stringify(credentials)).digest("hex");
  return [challenge.parameters["realm"], challenge.parameters["service"], scope, identity].join("\n");
}
