/** Templates on events, as docker's `events --format` runs them. https://github.com/docker/cli/blob/v28.2.2/cli/command/system/events.go */
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { toJson } from "#formats/go-template/functions.ts";
import { Template } from "#formats/go-template/template.ts";
import { GO_TYPE } from "#formats/go-template/values.ts";
import type { EventMessage } from "#spec/docker-system.ts";
import { StatusError } from "../status-error.ts";

/** Throws StatusError 64 for a bad template; what it gives throws InvalidParameterError when the template asks for what no event has. */
export function parseEventTemplate(format: string): (event: EventMessage) => string {
  const template = parse(format);
  return (event) => {
    const view = goFields(event);
    try {
      return template.execute(view, { functions: { json: (part) => toJson(part === view ? event : part) } });
    } catch (cause) {
      throw new InvalidParameterError(errorMessage(cause), { cause });
    }
  };
}

const NO_EVENT: EventMessage = {
  Type: "container",
  Action: "",
  Actor: { ID: "", Attributes: {} },
  scope: "local",
  time: 0,
  timeNano: 0,
};

/** With the names that Go's struct has; on the wire some begin with a small letter. */
function goFields(event: EventMessage): Readonly<Record<string | symbol, unknown>> {
  return {
    Status: event.Action,
    ID: event.Actor.ID,
    From: event.from ?? "",
    Type: event.Type,
    Action: event.Action,
    Actor: event.Actor,
    Scope: event.scope,
    Time: event.time,
    TimeNano: event.timeNano,
    [GO_TYPE]: "*events.Message",
  };
}

function parse(format: string): Template {
  try {
    const template = new Template(format, {});
    // As docker: a template that asks for what no event has is refused before there is one.
    template.execute(goFields(NO_EVENT), { functions: { json: toJson } });
    return template;
  } catch (cause) {
    throw new StatusError(64, `Error parsing format: ${errorMessage(cause)}`, { cause });
  }
}
