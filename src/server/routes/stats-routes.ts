import { isRunning } from "#engine/containers/container-record.ts";
import type { StatsSample } from "#engine/containers/stats.ts";
import type { Engine } from "#engine/engine.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";
import { statsView } from "../views/stats-view.ts";

export function statsRoutes(engine: Engine): readonly Route[] {
  return [["GET", "/containers/{id}/stats", (request) => stats(engine, request)]];
}

/** A line a second; without `stream` one, whose rates cover a second; with `one-shot` too, one at once, without rates. */
async function stats(engine: Engine, request: RequestContext): Promise<void> {
  const record = engine.containers.containers.resolve(request.param("id"));
  const isStream = request.query.has("stream") ? request.flag("stream") : true;
  const isOneShot = request.flag("one-shot");
  if (isStream && isOneShot) throw new InvalidParameterError("cannot have stream=true and one-shot=true");
  if (!isStream && (isOneShot || !isRunning(record))) {
    return request.sendJson(200, statsView(record, engine.stats.sample(record.id), undefined));
  }
  const writer = request.stream("application/json");
  let before: StatsSample | undefined;
  for await (const sample of engine.stats.watch(record.id, request.signal)) {
    const now = engine.containers.containers.find(record.id) ?? record;
    const isFirst = before === undefined;
    if (isStream || !isFirst || !sample.usage)
      await writer.write(`${JSON.stringify(statsView(now, sample, before))}\n`);
    if (!isStream && !(isFirst && sample.usage)) break;
    before = sample;
  }
  writer.end();
}
