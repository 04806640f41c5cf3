import { InvalidParameterError } from "#errors/errors.ts";
import type { EventMessage } from "#spec/docker-system.ts";
import { type Filters, labelsFit } from "./filters.ts";

type Predicate = (event: EventMessage) => boolean;

/** Events of these begin with the name, a colon and what happened. */
const COMMENTED_ACTIONS = ["health_status", "exec_create", "exec_start"];

/**
 * A test for the events that all filters let through; any value of one filter will do, except labels, which must all be there.
 * Throws InvalidParameterError for an unknown filter.
 * https://github.com/moby/moby/blob/v28.2.2/daemon/events/filter.go
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
      return actionFilter(values);
    case "container":
    case "volume":
    case "network":
    case "daemon":
    case "plugin":
    case "service":
    case "node":
    case "secret":
    case "config":
      return ({ Type, Actor }) => {
        const own = Actor.Attributes["name"];
        return Type === name && values.some((value) => Actor.ID.startsWith(value) || own?.startsWith(value));
      };
    case "image":
      return (event) => values.some((value) => isOfImage(event, value));
    case "label":
      return (event) => labelsFit(filters, event.Actor.Attributes);
    case "scope":
      return (event) => values.includes(event.scope);
    default:
      throw new InvalidParameterError(`invalid filter '${name}'`);
  }
}

/** With one of the commented actions among the values, any may be the beginning of an action. */
function actionFilter(values: readonly string[]): Predicate {
  const isLoose = values.some((value) => COMMENTED_ACTIONS.includes(value));
  return ({ Action }) => values.some((value) => Action === value || (isLoose && Action.startsWith(value)));
}

/** Its own events, and those of containers that stand on it; a name without a tag stands for all tags. */
function isOfImage({ Type, Actor }: EventMessage, value: string): boolean {
  const name = Actor.Attributes[Type === "image" ? "name" : "image"] ?? "";
  return [Actor.ID, name, withoutTag(Actor.ID), withoutTag(name)].includes(value);
}

function withoutTag(name: string): string {
  return name.replace(/:[^:/]*$/, "");
}
