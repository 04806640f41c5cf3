import type { Engine } from "#engine/engine.ts";
import { planPrune } from "#engine/system/prune-plan.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { spaceLimits } from "#server/decode/space-limits.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";

/** What pruning would free. The prunes themselves are where the things are that they remove. */
export function pruneRoutes(engine: Engine): readonly Route[] {
  return [["GET", "/berth/prune", (request) => plan(engine, request)]];
}

async function plan(engine: Engine, request: RequestContext): Promise<void> {
  const answer = await planPrune(engine, {
    containers: request.flag("containers"),
    images: scope(request, "images", ["dangling", "all"]),
    buildCache: scope(request, "cache", ["unused", "all"]),
    volumes: scope(request, "volumes", ["anonymous", "all"]),
    filters: request.filters(),
    space: spaceLimits(request),
  });
  request.sendJson(200, answer);
}

function scope<T extends string>(request: RequestContext, name: string, known: readonly T[]): T | "none" {
  const text = request.text(name);
  if (text === "") return "none";
  const found = known.find((value) => value === text);
  if (!found) throw new InvalidParameterError(`invalid ${name} "${text}": use ${known.join(" or ")}`);
  return found;
}
