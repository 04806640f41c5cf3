import type { BuildRequest } from "#engine/builds/build-service.ts";
import type { PullOptions } from "#engine/images/registry/pull.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { map, object, text } from "#lib/json-decoder.ts";
import type { RequestContext } from "#server/request-context.ts";

/** What a client proves itself with to a registry. Secret: never logged. */
export type RegistryAuth = NonNullable<PullOptions["credentials"]>;

const decode = object<RegistryAuth>({ username: text, password: text, identityToken: text, registryToken: text }, {});

const decodeAll = map(decode, {});

/** The logins that a build may use. */
export type BuildLogins = NonNullable<BuildRequest["logins"]>;

/**
 * The X-Registry-Auth header: JSON in base64url, with or without padding; older clients use plain base64. Undefined when it is absent or
 * proves nothing. Throws InvalidParameterError.
 * https://docs.docker.com/reference/api/engine/version/v1.51/#section/Authentication
 */
export function registryAuth(request: Pick<RequestContext, "header">): RegistryAuth | undefined {
  return decodeRegistryAuth(request.header("x-registry-auth"));
}

/** The value of such a header. Throws InvalidParameterError. */
export function decodeRegistryAuth(header: string): RegistryAuth | undefined {
  if (header === "") return undefined;
  const given = Object.entries(decode(parseHeader(header, "X-Registry-Auth"), "")).filter(([, value]) => value !== "");
  return given.length > 0 ? Object.fromEntries(given) : undefined;
}

/** Docker Hub's key in X-Registry-Config, for history's sake. */
const HUB_KEYS = ["https://index.docker.io/v1/", "index.docker.io", "docker.io"];

/**
 * The X-Registry-Config header of a build: the client's logins by registry, JSON in base64url. Undefined when it is absent. Throws
 * InvalidParameterError. https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Image/operation/ImageBuild
 */
export function registryLogins(request: Pick<RequestContext, "header">): BuildLogins | undefined {
  const header = request.header("x-registry-config");
  if (header === "") return undefined;
  const logins = new Map(Object.entries(decodeAll(parseHeader(header, "X-Registry-Config") ?? {}, "")));
  return {
    get: async (domain) => {
      const keys = domain === "docker.io" ? HUB_KEYS : [domain, `https://${domain}`, `http://${domain}`];
      const found = keys.map((key) => logins.get(key)).find((login) => login !== undefined);
      return found && Object.fromEntries(Object.entries(found).filter(([, value]) => value !== ""));
    },
  };
}

/** The first login that one of the sources has for a registry. */
export function firstLogin(sources: readonly (BuildLogins | undefined)[]): BuildLogins {
  return {
    get: async (domain, signal) => {
      for (const source of sources) {
        const login = await source?.get(domain, signal);
        if (login) return login;
      }
      return undefined;
    },
  };
}

function parseHeader(header: string, name: string): unknown {
  try {
    // This decoder takes both alphabets.
    return JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
  } catch (cause) {
    throw new InvalidParameterError(`invalid ${name} header: expected JSON in base64url`, { cause });
  }
}
