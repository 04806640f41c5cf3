/** Templates on one object, as docker's `inspect -f` runs them. */
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { Template } from "#formats/go-template/template.ts";
import { ExecutionError } from "#formats/go-template/template-error.ts";
import { StatusError } from "../status-error.ts";
import { TypedView } from "./typed-view.ts";

/** Exit code of a template that cannot be parsed. */
const BAD_TEMPLATE = 64;

/**
 * Parses a template. What it gives runs it: on the object with its types first and, when that fails, on the plain JSON, whose error is
 * then the one that is reported. Throws StatusError with `exitCode` for a bad template; running it throws InvalidParameterError.
 */
export function parseInspectTemplate(format: string, exitCode: number = BAD_TEMPLATE): (value: unknown) => string {
  const template = parseTemplate(format, exitCode);
  return (value) => {
    const view = new TypedView();
    try {
      return template.execute(view.typed(value), { functions: { json: (part: unknown) => view.json(part) } });
    } catch {
      return wrapped(() => template.execute(value, { missingKeyIsError: true }));
    }
  };
}

/** As {@link parseInspectTemplate}, on a struct of Go's that the client made itself: an unknown field is an error that names its type. */
export function parseStructTemplate(format: string, goType: string): (value: unknown) => string {
  const template = parseTemplate(format, BAD_TEMPLATE);
  return (value) => wrapped(() => executeOnStruct(template, goType, value));
}

/** A text, and why there is no more of it. */
export interface Rendered {
  readonly text: string;
  readonly failure?: StatusError;
}

/**
 * As `version` and `info` run templates: what they have printed when they fail stays printed, with a line's end. `name` is the template's, for
 * messages. Throws StatusError 64 for a bad template.
 */
export function renderStruct(format: string, name: string, goType: string, value: unknown): Rendered {
  const template = parseTemplate(format, BAD_TEMPLATE, name);
  try {
    return { text: `${executeOnStruct(template, goType, value)}\n` };
  } catch (cause) {
    if (!(cause instanceof ExecutionError)) throw cause;
    return { text: `${cause.text}\n`, failure: new StatusError(1, cause.message, { cause }) };
  }
}

/** A struct that the client made itself as Go marshals it, on one line. */
export function structJson(goType: string, value: unknown): string {
  const view = new TypedView(goType);
  return view.json(view.typed(value));
}

function executeOnStruct(template: Template, goType: string, value: unknown): string {
  const view = new TypedView(goType);
  return template.execute(view.typed(value), { functions: { json: (part: unknown) => view.json(part) } });
}

function wrapped(run: () => string): string {
  try {
    return run();
  } catch (cause) {
    throw new InvalidParameterError(`template parsing error: ${errorMessage(cause)}`, { cause });
  }
}

function parseTemplate(format: string, exitCode: number, name: string = ""): Template {
  try {
    return new Template(format, { name });
  } catch (cause) {
    throw new StatusError(exitCode, `template parsing error: ${errorMessage(cause)}`, { cause });
  }
}
