import { STATUS_CODES } from "node:http";
import { CancelledError, UnauthorizedError } from "#errors/errors.ts";
import type { Reference } from "#formats/reference.ts";
import type { RetryPolicy } from "#lib/retry.ts";
import type { SearchResult } from "#spec/docker-images.ts";
import { Certificates } from "./certificates.ts";
import { TransientError } from "./connection-error.ts";
import type { Credentials } from "./credentials.ts";
import { type Endpoint, endpointsOf, isInsecure, type RegistryOptions } from "./endpoint.ts";
import { withRedirects } from "./redirect.ts";
import { Repository } from "./repository.ts";
import { RepositoryWriter } from "./repository-writer.ts";
import { problemOf } from "./response-error.ts";
import { searchIndex } from "./search.ts";
import { openSession, type Session } from "./session.ts";
import { TokenSource } from "./token-source.ts";
import { fetchTransport, type Transport } from "./transport.ts";

export interface RegistryClientOptions extends RegistryOptions {
  /** Directories like /etc/docker/certs.d, in the order in which they are looked into. */
  readonly certificateDirectories?: readonly string[];
  readonly retryPolicy?: RetryPolicy;
}

const HUB = "docker.io";
/** Where Docker Hub is searched. */
const HUB_INDEX = "https://index.docker.io";

/** Five attempts over some 8 s; a server that asks for a pause (Retry-After) gets up to a minute. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, baseDelay: 500, maxDelay: 60_000 };

export interface OpenOptions {
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
  /** How often a request is tried; else as the client's policy says. */
  readonly attempts?: number;
}

/**
 * Speaks with OCI registries. Holds no connection and no credentials of its own: tokens only, while they live.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export class RegistryClient {
  readonly #options: RegistryClientOptions;
  readonly #tokens: TokenSource = new TokenSource();
  readonly #fetch: Transport;

  constructor(options: RegistryClientOptions) {
    this.#options = options;
    this.#fetch = fetchTransport({
      userAgent: options.userAgent,
      skipsVerification: (host) => isInsecure(host, options),
      certificates: new Certificates(options.certificateDirectories ?? []),
    });
  }

  /** A repository to read from. Nothing is sent before its first use. */
  repository(reference: Reference, options: OpenOptions = {}): Repository {
    const scope = `repository:${reference.path}:pull`;
    const [mirrors, registry] = this.#endpointGroups(reference.domain);
    const groups = [...mirrors.map((mirror) => [mirror]), registry];
    const sessions = groups.map((group) => once(() => this.#openAny(group, scope, options)));
    return new Repository(reference.path, sessions, this.#policy(options));
  }

  /**
   * A repository to write to. `mountFrom` are repositories of the same registry to take blobs over from: the token must allow
   * reading them.
   */
  async writer(
    reference: Reference,
    options: OpenOptions & { readonly mountFrom?: readonly string[] } = {},
  ): Promise<RepositoryWriter> {
    const scopes = [
      `repository:${reference.path}:pull,push`,
      ...(options.mountFrom ?? []).map((path) => `repository:${path}:pull`),
    ];
    const [, registry] = this.#endpointGroups(reference.domain);
    const session = await this.#openAny(registry, scopes.join(" "), options);
    return new RepositoryWriter(reference.path, session, this.#retryPolicy);
  }

  /**
   * Asks the registry of a domain whether it takes the credentials. Resolves with the token to keep in place of the password, where its
   * token server gives one. Throws UnauthorizedError when it does not take them, UnavailableError in Docker's words when it does not answer.
   */
  async checkLogin(domain: string, credentials: Credentials, signal?: AbortSignal): Promise<string | undefined> {
    const [, registry] = this.#endpointGroups(domain);
    const options = { ...(signal ? { signal } : {}) };
    const session = await this.#openAny(registry, "", { credentials, ...options });
    const { challenge } = session;
    const refreshToken =
      challenge?.scheme === "bearer" && !credentials.identityToken
        ? await this.#tokens.login(challenge, credentials, withRedirects(this.#fetch), signal)
        : undefined;
    const response = await session.sendWithRetry({ method: "GET", path: "", expect: [200, 401, 403], ...options });
    await response.body?.cancel();
    if (response.ok) return refreshToken;
    throw new UnauthorizedError(
      `login attempt to ${session.endpoint.origin}/v2/ failed with status: ${response.status} ${STATUS_CODES[response.status]}`,
    );
  }

  /** Repositories that a domain's index finds. Throws as the index answers. */
  async search(
    domain: string,
    query: { readonly term: string; readonly limit: number },
    options: OpenOptions = {},
  ): Promise<readonly SearchResult[]> {
    const origins = domain === HUB ? [HUB_INDEX] : endpointsOf(domain, this.#options).map(({ origin }) => origin);
    let failure: unknown;
    for (const origin of origins) {
      try {
        return await searchIndex(withRedirects(this.#fetch), origin, query, options);
      } catch (error) {
        failure = error;
        // An answer is an answer; only without one may plain http be what is meant.
        if (problemOf(error)) break;
      }
    }
    throw failure;
  }

  /** This client, taking plain http and any certificate of one more registry. */
  trusting(domain: string): RegistryClient {
    return new RegistryClient({
      ...this.#options,
      insecureRegistries: [...this.#options.insecureRegistries, domain],
    });
  }

  get #retryPolicy(): RetryPolicy {
    return this.#options.retryPolicy ?? DEFAULT_RETRY;
  }

  #policy({ attempts }: OpenOptions): RetryPolicy {
    return attempts === undefined ? this.#retryPolicy : { ...this.#retryPolicy, attempts };
  }

  #endpointGroups(domain: string): readonly [mirrors: Endpoint[], registry: Endpoint[]] {
    const endpoints = endpointsOf(domain, this.#options);
    return [endpoints.filter(({ isMirror }) => isMirror), endpoints.filter(({ isMirror }) => !isMirror)];
  }

  /** The first endpoint of a registry that answers: https, then http where that is allowed. */
  async #openAny(endpoints: readonly Endpoint[], scope: string, options: OpenOptions): Promise<Session> {
    let failure: unknown;
    for (const [index, endpoint] of endpoints.entries()) {
      const isLast = index === endpoints.length - 1;
      try {
        return await openSession({
          endpoint,
          transport: (authorized) => withRedirects(authorized(this.#fetch)),
          tokens: this.#tokens,
          credentials: options.credentials ?? {},
          scope,
          // With another endpoint to try, a broken TLS handshake is no reason to wait.
          retryPolicy: isLast ? this.#policy(options) : { ...this.#retryPolicy, attempts: 1 },
          ...(options.signal ? { signal: options.signal } : {}),
        });
      } catch (error) {
        if (error instanceof CancelledError) throw error;
        failure = error;
      }
    }
    throw failure instanceof Error ? failure : new TransientError("registry does not answer");
  }
}

/** `open`, done once; a failure is not kept. */
function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}
