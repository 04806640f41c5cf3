import { Auth } from "#proto/auth_pb.ts";
import { fromClient, isAbsent } from "./grpc-error.ts";
import type { Session } from "./session.ts";

/** What a client proves itself with to a registry; secret. */
export interface ClientCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly identityToken?: string;
}

/** Docker's clients know Docker Hub by this name. */
const HUB = "registry-1.docker.io";

/**
 * Asks the client for its login at the registry `domain`; undefined when it has none. Not every client announces that it serves this, so it
 * is asked in any case. https://github.com/moby/buildkit/blob/master/session/auth/auth.go
 */
export async function clientCredentials(
  session: Session,
  domain: string,
  signal: AbortSignal,
): Promise<ClientCredentials | undefined> {
  const host = domain === "docker.io" ? HUB : domain;
  try {
    const { username, secret } = await session.client(Auth).credentials({ host }, { signal });
    if (secret === "") return undefined;
    // A secret without a name is what an OAuth login left.
    return username === "" || username === "<token>" ? { identityToken: secret } : { username, password: secret };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw fromClient(error, `cannot get credentials for ${domain}`);
  }
}
