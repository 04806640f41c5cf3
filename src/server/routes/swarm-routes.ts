import { InvalidParameterError, NotFoundError, NotImplementedError, UnavailableError } from "#errors/errors.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";

const LISTS = ["/swarm", "/swarm/unlockkey", "/nodes", "/services", "/tasks", "/secrets", "/configs"];
const KINDS = ["/nodes", "/services", "/tasks", "/secrets", "/configs"];
const CREATED = ["/services", "/secrets", "/configs"];
const UPDATED = ["/nodes", "/services", "/secrets", "/configs"];

/**
 * Berth is never part of a swarm, and says so as a Docker engine outside of one does. It has no plugins, so that none is found; to install one is
 * refused.
 */
export function swarmRoutes(): readonly Route[] {
  return [
    ...LISTS.map((path): Route => ["GET", path, refuse]),
    ...KINDS.map((path): Route => ["GET", `${path}/{id}`, refuse]),
    ...["/services", "/tasks"].map((path): Route => ["GET", `${path}/{id}/logs`, refuse]),
    ...CREATED.map((path): Route => ["POST", `${path}/create`, refuse]),
    ...UPDATED.map((path): Route => ["POST", `${path}/{id}/update`, refuse]),
    ...UPDATED.map((path): Route => ["DELETE", `${path}/{id}`, refuse]),
    ["POST", "/swarm/update", refuse],
    ["POST", "/swarm/unlock", refuse],
    ["POST", "/swarm/leave", leave],
    ["POST", "/swarm/init", found],
    ["POST", "/swarm/join", found],
    ["GET", "/plugins", listPlugins],
    ["GET", "/plugins/privileges", refusePlugin],
    ["POST", "/plugins/pull", refusePlugin],
    ["POST", "/plugins/create", refusePlugin],
    ["GET", "/plugins/{name*}/json", missPlugin],
    ...["enable", "disable", "upgrade", "push", "set"].map(
      (action): Route => ["POST", `/plugins/{name*}/${action}`, missPlugin],
    ),
    ["DELETE", "/plugins/{name*}", missPlugin],
  ];
}

function leave(): never {
  throw new UnavailableError("This node is not part of a swarm");
}

function found(): never {
  throw new NotImplementedError("Berth runs containers on one host and cannot be part of a swarm");
}

function refuse(): never {
  throw new UnavailableError(
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
}

const PLUGIN_FILTERS = ["enabled", "capability"];

function listPlugins(request: RequestContext): void {
  for (const name of request.filters().keys()) {
    if (!PLUGIN_FILTERS.includes(name)) throw new InvalidParameterError(`invalid filter '${name}'`);
  }
  request.sendJson(200, []);
}

function missPlugin(request: RequestContext): never {
  throw new NotFoundError(`plugin "${request.param("name")}" not found`);
}

function refusePlugin(): never {
  throw new NotImplementedError("Berth has no plugins: what it can do is built in");
}
