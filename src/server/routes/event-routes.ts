import type { Engine } from "#engine/engine.ts";
import { eventFilter } from "#engine/event-filter.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { LONGEST_TIMER } from "#lib/longest-timer.ts";
import type { EventMessage } from "#spec/docker-system.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";
import { unixNanoParameter } from "./parameters.ts";

const JSON_SEQUENCE = "application/json-seq";
const STREAM_TYPES = ["application/json", "application/x-ndjson", JSON_SEQUENCE];
/** https://www.rfc-editor.org/rfc/rfc7464 */
const RECORD_SEPARATOR = "\u001e";

export function eventRoutes(engine: Engine): readonly Route[] {
  return [["GET", "/events", (request) => events(engine, request)]];
}

/** What was kept since `since`, then what happens, until `until`. The headers go out at once: clients wait for them. */
async function events(engine: Engine, request: RequestContext): Promise<void> {
  const isWanted = eventFilter(request.filters());
  // As in dockerd, 0 is a time as any other: all that was kept.
  const since = nanoseconds(request, "since") ?? (request.text("since") === "" ? undefined : 0);
  const until = nanoseconds(request, "until");
  if (until !== undefined && since !== undefined && until < since) {
    const [from, to] = [request.text("since"), request.text("until")];
    throw new InvalidParameterError(`\`since\` time (${from}) cannot be after \`until\` time (${to})`);
  }
  const type = streamType(request);
  const writer = request.stream(type);
  const write = (event: EventMessage): Promise<void> =>
    writer.write(`${type === JSON_SEQUENCE ? RECORD_SEPARATOR : ""}${JSON.stringify(event)}\n`);
  const end = new AbortController();
  request.signal.addEventListener("abort", () => end.abort(), { once: true });
  const left = until === undefined ? undefined : until / 1e6 - Date.now();
  const live = engine.events.subscribe(isWanted, end.signal);
  const isAsked = since !== undefined || until !== undefined;
  const past = isAsked ? engine.events.past(since ?? 0, until ?? Number.POSITIVE_INFINITY) : [];
  if (left !== undefined && left <= 0) end.abort();
  const timer =
    left !== undefined && left > 0 ? setTimeout(() => end.abort(), Math.min(left, LONGEST_TIMER)) : undefined;
  try {
    for (const event of past) if (isWanted(event)) await write(event);
    for await (const event of live) await write(event);
  } finally {
    clearTimeout(timer);
    end.abort();
  }
  writer.end();
}

/** A double, as the events' own times are: what a client has read from an event compares equal. */
function nanoseconds(request: RequestContext, name: string): number | undefined {
  const value = unixNanoParameter(request, name);
  return value === undefined ? undefined : Number(value);
}

/** The first of the client's types that can be written; JSON for clients that do not say. */
function streamType(request: RequestContext): string {
  const accepted = request.header("accept").split(",");
  const names = accepted.map((text) => text.split(";", 1)[0]?.trim().toLowerCase() ?? "");
  return names.find((name) => STREAM_TYPES.includes(name)) ?? "application/json";
}
