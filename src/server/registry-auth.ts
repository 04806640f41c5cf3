import type { PullOptions } from "#engine/images/pull.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { object, text } from "#lib/json-decoder.ts";
import type { RequestContext } from "./request-context.ts";

/** What a client proves itself with to a registry. Secret: never logged. */
export type RegistryAuth = NonNullable<PullOptions["credentials"]>;

const decode = object<RegistryAuth>({ username: text, password: text, identityToken: text, registryToken: text }, {});

/**
 * The X-Registry-Auth header: JSON in base64url, with or without padding; older clients use plain base64. Undefined when it is absent or
 * proves nothing. Throws InvalidParameterError.
 * https://docs.docker.com/reference/api/engine/version/v1.51/#section/Authentication
 */
export function registryAuth(request: Pick<RequestContext, "header">): RegistryAuth | undefined {
  const header = request.header("x-registry-auth");
  if (header === "") return undefined;
  const given = Object.entries(decode(parseHeader(header), "")).filter(([, value]) => value !== "");
  return given.length > 0 ? Object.fromEntries(given) : undefined;
}

function parseHeader(header: string): unknown {
  try {
    // This decoder takes both alphabets.
    return JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
  } catch (cause) {
    throw new InvalidParameterError("invalid X-Registry-Auth header: expected JSON in base64url", { cause });
  }
}
