import type { Engine } from "#engine/engine.ts";
import { distributionInfo } from "#engine/images/registry/distribution.ts";
import { checkLogin } from "#engine/images/registry/login.ts";
import type { PullOptions } from "#engine/images/registry/pull.ts";
import { searchImages } from "#engine/images/registry/search.ts";
import { object, text } from "#lib/json-decoder.ts";
import { registryAuth } from "#server/decode/registry-auth.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";
import { integerParameter } from "./parameters.ts";

/** Questions to a registry that change nothing here. */
export function registryRoutes(engine: Engine): readonly Route[] {
  return [
    ["POST", "/auth", (request) => login(engine, request)],
    ["GET", "/images/search", (request) => search(engine, request)],
    ["GET", "/distribution/{name*}/json", (request) => distribution(engine, request)],
  ];
}

type LoginRequest = NonNullable<PullOptions["credentials"]> & { readonly serverAddress?: string };

const decodeLogin = object<LoginRequest>(
  { username: text, password: text, identityToken: text, registryToken: text, serverAddress: text },
  {},
);

/** A client keeps the token in place of the password, if it is given one. */
async function login(engine: Engine, request: RequestContext): Promise<void> {
  const { serverAddress = "", ...credentials } = await request.json(decodeLogin, { required: true });
  const token = await checkLogin(engine.images, serverAddress, credentials, request.signal);
  request.sendJson(200, { Status: "Login Succeeded", IdentityToken: token });
}

async function search(engine: Engine, request: RequestContext): Promise<void> {
  const credentials = registryAuth(request);
  const results = await searchImages(engine.images, request.text("term"), {
    limit: integerParameter(request, "limit"),
    filters: request.filters(),
    ...(credentials ? { credentials } : {}),
    signal: request.signal,
  });
  request.sendJson(200, results);
}

async function distribution(engine: Engine, request: RequestContext): Promise<void> {
  const credentials = registryAuth(request);
  const { descriptor, platforms } = await distributionInfo(engine.images, request.param("name"), {
    ...(credentials ? { credentials } : {}),
    signal: request.signal,
  });
  request.sendJson(200, { Descriptor: descriptor, Platforms: platforms });
}
