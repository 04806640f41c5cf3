import { InvalidParameterError } from "#errors/errors.ts";
import type { RequestContext } from "./request-context.ts";

/** What a client proves itself with to a registry. Secret: never logged. */
export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

/**
 * The X-Registry-Auth header: JSON in base64url, with or without padding; older clients use plain base64.
 * https://docs.docker.com/reference/api/engine/version/v1.51/#section/Authentication
 */
export function registryAuth(request: RequestContext): RegistryAuth | undefined {
  const header = request.header("x-registry-auth");
  if (header === "") return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
  } catch {
    throw new InvalidParameterError("invalid X-Registry-Auth header: expected JSON in base64url");
  }
  const field = (name: string): string => {
    const value =
      typeof parsed === "object" && parsed !== null
        ? Object.entries(parsed).find(([key]) => key.toLowerCase() === name)?.[1]
        : undefined;
    return typeof value === "string" ? value : "";
  };
  const [username, password, identityToken, registryToken] = [
    "username",
    "password",
    "identitytoken",
    "registrytoken",
  ].map(field);
  const auth = { username, password, identityToken, registryToken };
  const given = Object.fromEntries(Object.entries(auth).filter(([, value]) => value));
  return Object.keys(given).length > 0 ? given : undefined;
}
