import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { Template } from "#formats/go-template/template.ts";
import { StatusError } from "../status-error.ts";
import { withZeroValues } from "./inspect-values.ts";

/** A template for one object. Throws StatusError with `exitCode` when it cannot be parsed; the result throws InvalidParameterError. */
export function parseInspectTemplate(format: string, exitCode: number): (value: unknown) => string {
  const template = parseTemplate(format, exitCode);
  return (value) => {
    try {
      return template.execute(withZeroValues(value));
    } catch (cause) {
      throw new InvalidParameterError(`template parsing error: ${errorMessage(cause)}`, { cause });
    }
  };
}

function parseTemplate(format: string, exitCode: number): Template {
  try {
    return new Template(format, { missingKeyIsError: true });
  } catch (cause) {
    throw new StatusError(exitCode, `template parsing error: ${errorMessage(cause)}`, { cause });
  }
}
