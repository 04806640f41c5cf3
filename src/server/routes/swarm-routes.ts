import { UnavailableError } from "#errors/errors.ts";
import type { Route } from "../route.ts";

const PATHS = ["/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs"];

/** Berth is never part of a swarm, and says so as a Docker engine outside of one does. */
export function swarmRoutes(): readonly Route[] {
  return PATHS.map((path) => ["GET", path, refuse]);
}

function refuse(): never {
  throw new UnavailableError(
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
}
