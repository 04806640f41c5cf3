import { InvalidParameterError } from "#errors/errors.ts";
import type { EventMessage } from "#spec/docker-api.ts";
import { type Filters, labelsFit } from "./filters.ts";

type Predicate = (event: EventMessage) => boolean;

/**
 * A test for the events that all filters let through; any value of one filter will do, except labels, which must all be there.
 * Throws InvalidParameterError for an unknown filter. https://docs.docker.com/reference/cli/docker/system/events/#filter
 */
export function eventFilter(filters: Filters): Predicate {
  const predicates = [...filters].map(([name, values]) => predicate(name, values, filters));
  return (event) => predicates.every((matches) => matches(event));
}

function predicate(name: string, values: readonly string[], filters: Filters): Predicate {
  switch (name) {
    case "type":
      return (event) => values.includes(event.Type);
    case "event":
      return ({ Action }) => values.some((value) => Action === value || Action.startsWith(`${value}:`));
    case "container":
    case "volume":
    case "network":
      return (event) => event.Type === name && values.some((value) => isOf(event, value));
    case "image":
      return (event) => values.some((value) => isOfImage(event, value));
    case "label":
      return (event) => labelsFit(filters, event.Actor.Attributes);
    case "scope":
      return (event) => values.includes(event.scope);
    case "daemon":
      return (event) => event.Type === "daemon";
    // What Berth does not have never happens.
    case "config":
    case "node":
    case "plugin":
    case "secret":
    case "service":
      return () => false;
    default:
      throw new InvalidParameterError(`invalid filter '${name}'`);
  }
}

function isOf({ Actor }: EventMessage, value: string): boolean {
  return Actor.ID.startsWith(value) || Actor.Attributes["name"] === value;
}

/** Its own events, and those of containers that stand on it. */
function isOfImage({ Type, Actor }: EventMessage, value: string): boolean {
  if (Actor.Attributes["image"] === value) return true;
  return Type === "image" && (Actor.ID === value || Actor.Attributes["name"] === value);
}
