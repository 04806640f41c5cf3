import type { Engine } from "#engine/engine.ts";
import { distributionInfo } from "#engine/images/distribution.ts";
import { checkLogin } from "#engine/images/login.ts";
import type { PullOptions } from "#engine/images/pull.ts";
import { object, text } from "#lib/json-decoder.ts";
import { registryAuth } from "../registry-auth.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";

/** Questions to a registry that change nothing here. */
export function registryRoutes(engine: Engine): readonly Route[] {
  return [
    ["POST", "/auth", (request) => login(engine, request)],
    ["GET", "/distribution/{name*}/json", (request) => distribution(engine, request)],
  ];
}

type LoginRequest = NonNullable<PullOptions["credentials"]> & { readonly serverAddress?: string };

const decodeLogin = object<LoginRequest>(
  { username: text, password: text, identityToken: text, registryToken: text, serverAddress: text },
  {},
);

/** `docker login` keeps the password itself: no token is given in its place. */
async function login(engine: Engine, request: RequestContext): Promise<void> {
  const { serverAddress = "", ...credentials } = await request.json(decodeLogin);
  await checkLogin(engine.images, serverAddress, credentials, request.signal);
  request.sendJson(200, { Status: "Login Succeeded", IdentityToken: "" });
}

async function distribution(engine: Engine, request: RequestContext): Promise<void> {
  const credentials = registryAuth(request);
  const { descriptor, platforms } = await distributionInfo(engine.images, request.param("name"), {
    ...(credentials ? { credentials } : {}),
    signal: request.signal,
  });
  request.sendJson(200, { Descriptor: descriptor, Platforms: platforms });
}
