import type { Duplex } from "node:stream";
import { InvalidParameterError } from "#errors/errors.ts";
import type { LoadBuildKit } from "../buildkit.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";

/** The connections that BuildKit's clients take over. https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Session */
export function buildkitRoutes(load: LoadBuildKit): readonly Route[] {
  return [
    ["POST", "/session", (request) => session(load, request)],
    ["POST", "/grpc", (request) => control(load, request)],
  ];
}

async function session(load: LoadBuildKit, request: RequestContext): Promise<void> {
  checkProtocol(request);
  const id = request.header("x-docker-expose-session-uuid");
  if (id === "") throw new InvalidParameterError("cannot open a session: X-Docker-Expose-Session-Uuid is missing");
  const announcement = {
    id,
    name: request.header("x-docker-expose-session-name"),
    sharedKey: request.header("x-docker-expose-session-sharedkey"),
    methods: request.headerValues("x-docker-expose-session-grpc-method"),
  };
  const buildkit = await load();
  await buildkit.serveSession(upgrade(request), announcement);
}

async function control(load: LoadBuildKit, request: RequestContext): Promise<void> {
  const buildkit = await load();
  await buildkit.serveControl(upgrade(request));
}

function upgrade(request: RequestContext): Duplex {
  checkProtocol(request);
  return request.upgrade();
}

function checkProtocol(request: RequestContext): void {
  const protocol = request.header("upgrade");
  if (protocol === "") throw new InvalidParameterError("no upgrade proto in request");
  if (protocol.toLowerCase() !== "h2c") throw new InvalidParameterError(`protocol ${protocol} not supported`);
}
