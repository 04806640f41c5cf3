import { NotImplementedError, UnavailableError } from "#errors/errors.ts";
import type { Route } from "../route.ts";

const PATHS = ["/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs"];
const CREATED = ["/services", "/secrets", "/configs"];

/** Berth is never part of a swarm, and says so as a Docker engine outside of one does. */
export function swarmRoutes(): readonly Route[] {
  return [
    ...PATHS.map((path): Route => ["GET", path, refuse]),
    ...CREATED.map((path): Route => ["POST", `${path}/create`, refuse]),
    ["POST", "/swarm/update", refuse],
    ["POST", "/swarm/leave", leave],
    ["POST", "/swarm/init", found],
    ["POST", "/swarm/join", found],
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
