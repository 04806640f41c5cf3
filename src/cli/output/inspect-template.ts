/** Templates on one object, as docker's `inspect -f` runs them. */
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { type TemplateFunctions, toJson } from "#formats/go-template/functions.ts";
import { Template } from "#formats/go-template/template.ts";
import { StatusError } from "../status-error.ts";
import { TypedView } from "./inspect-values.ts";

/**
 * Parses a template. What it gives runs it: on the object with its types first and, when that fails, on the plain JSON, whose error is
 * then the one that is reported. Throws StatusError with `exitCode` for a bad template; running it throws InvalidParameterError.
 */
export function parseInspectTemplate(format: string, exitCode: number): (value: unknown) => string {
  const template = parseTemplate(format, exitCode);
  return (value) => {
    const view = new TypedView();
    const functions = {
      json: (part: unknown) => toJson(typeof part === "object" && part !== null ? view.originalOf(part) : part),
    };
    try {
      return template.execute(view.typed(value), { functions });
    } catch {
      return runOnJson(template, value, true);
    }
  };
}

/** As {@link parseInspectTemplate}, on a struct of Go's that the client made itself: an unknown field is an error that names its type. */
export function parseStructTemplate(format: string, exitCode: number, goType: string): (value: unknown) => string {
  const template = parseTemplate(format, exitCode);
  return (value) => {
    const view = new TypedView(goType);
    const functions = {
      json: (part: unknown) => toJson(typeof part === "object" && part !== null ? view.originalOf(part) : part),
    };
    return runOnJson(template, view.typed(value), false, functions);
  };
}

function runOnJson(
  template: Template,
  value: unknown,
  missingKeyIsError: boolean,
  functions: TemplateFunctions = {},
): string {
  try {
    return template.execute(value, { missingKeyIsError, functions });
  } catch (cause) {
    throw new InvalidParameterError(`template parsing error: ${errorMessage(cause)}`, { cause });
  }
}

function parseTemplate(format: string, exitCode: number): Template {
  try {
    return new Template(format);
  } catch (cause) {
    throw new StatusError(exitCode, `template parsing error: ${errorMessage(cause)}`, { cause });
  }
}
