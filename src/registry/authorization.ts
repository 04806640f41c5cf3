import { UnauthorizedError } from "#errors/errors.ts";
import { type Challenge, chooseChallenge } from "./challenge.ts";
import { requestLine } from "./connection-error.ts";
import { basicAuthorization, type Credentials } from "./credentials.ts";
import type { TokenSource } from "./token-source.ts";
import type { RegistryRequest, Transport } from "./transport.ts";

/** Who asks, for what, at which registry. */
export interface AuthorizationScope {
  /** The only origin that ever sees the credentials, apart from its token server. */
  readonly origin: string;
  /** `repository:library/busybox:pull`; several are separated by spaces. */
  readonly scope: string;
  readonly credentials: Credentials;
  /** What the registry's `/v2/` asked for, if anything: then even the first request brings its authorization. */
  readonly challenge?: Challenge;
}

/**
 * Answers a registry's challenges. The last one is remembered, so that later requests bring their authorization at once; a 401
 * after that gets one more try with a fresh token. Requests to other origins go out bare.
 */
export function withAuthorization(inner: Transport, tokens: TokenSource, asked: AuthorizationScope): Transport {
  let challenge = asked.challenge;
  const authorize = async (request: RegistryRequest, fresh: boolean): Promise<RegistryRequest> => {
    const value = await authorizationValue(request, fresh);
    return value ? { ...request, headers: { ...request.headers, authorization: value } } : request;
  };
  const authorizationValue = async (request: RegistryRequest, fresh: boolean): Promise<string | undefined> => {
    const { credentials } = asked;
    if (credentials.registryToken) return `Bearer ${credentials.registryToken}`;
    if (challenge?.scheme === "basic") {
      const basic = basicAuthorization(credentials);
      if (basic) return basic;
      // dockerd names the request when it pulls, and not when it pushes; clients compare.
      const isPush = asked.scope.includes("push");
      throw new UnauthorizedError(`${isPush ? "" : `${requestLine(request)}: `}no basic auth credentials`);
    }
    if (challenge?.scheme !== "bearer") return undefined;
    const options = { fresh, ...(request.signal ? { signal: request.signal } : {}) };
    return `Bearer ${await tokens.token(challenge, asked.scope, credentials, inner, options)}`;
  };
  return async (request) => {
    if (request.url.origin !== asked.origin) return inner(request);
    const known = challenge;
    const response = await inner(await authorize(request, false));
    if (response.status !== 401) return response;
    challenge = chooseChallenge(response.headers.get("www-authenticate")) ?? challenge;
    // Wrong basic credentials stay wrong; a token that was refused may only have been old.
    const isAnswerable = challenge && (!known || challenge.scheme === "bearer");
    if (!isAnswerable || asked.credentials.registryToken) return response;
    await response.body?.cancel();
    return inner(await authorize(request, known !== undefined));
  };
}
