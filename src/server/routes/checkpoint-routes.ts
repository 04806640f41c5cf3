import { NotImplementedError } from "#errors/errors.ts";
import type { Handler, Route } from "../route.ts";

/** Checkpoints of containers, which a Docker engine has as an experiment only. Without it Docker refuses them with the same status. */
export function checkpointRoutes(): readonly Route[] {
  return [
    ["GET", "/containers/{id}/checkpoints", refuse],
    ["POST", "/containers/{id}/checkpoints", refuse],
    ["DELETE", "/containers/{id}/checkpoints/{checkpoint}", refuse],
  ];
}

const refuse: Handler = () => {
  throw new NotImplementedError("checkpoints are not supported");
};
