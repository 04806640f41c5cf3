/** Bodies of requests, refused in the words of dockerd and of Go's encoding/json, which its clients know. */
import { InvalidParameterError, WrongTypeError } from "#errors/errors.ts";
import { jsonProblem } from "#lib/go-json.ts";
import type { Decoder } from "#lib/json-decoder.ts";

/** No Content-Type is fine as long as there is no body; anything else must be JSON. Throws InvalidParameterError. */
export function checkForJson(contentType: string, hasBody: boolean): void {
  if (contentType === "" && !hasBody) return;
  const malformed = contentType === "" ? "mime: no media type" : mediaTypeProblem(contentType);
  if (malformed) throw new InvalidParameterError(`malformed Content-Type header (${contentType}): ${malformed}`);
  if (/^\s*application\/json\s*(;|$)/i.test(contentType)) return;
  throw new InvalidParameterError(`unsupported Content-Type header (${contentType}): must be 'application/json'`);
}

/** What Go's mime.ParseMediaType says of a header whose parameters are none. */
function mediaTypeProblem(contentType: string): string | undefined {
  const [, ...parameters] = contentType.split(";");
  const isBad = parameters.some(
    (text) => text.trim() !== "" && !/^\s*[\w!#$%&'*+.^`|~-]+=("[^"]*"|[^\s;"]+)\s*$/.test(text),
  );
  return isBad ? "mime: invalid media parameter" : undefined;
}

/** Throws InvalidParameterError in the words of Go's encoding/json, which say where the fault is. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const problem = jsonProblem(text) ?? "cannot parse it";
    const isOfJson = problem !== "unexpected content after JSON";
    throw new InvalidParameterError(isOfJson ? `invalid JSON: ${problem}` : problem, { cause });
  }
}

/** A value of the wrong type in the words of Go's encoding/json, which do not tell the place within lists and maps. */
export function decodeInDockersWords<T>(decode: Decoder<T>, value: unknown): T {
  try {
    return decode(value, "");
  } catch (error) {
    if (!(error instanceof WrongTypeError)) throw error;
    const field = error.path.replaceAll(/\[("[^"]*"|\d+)\]/g, "");
    const place = field === "" ? "Go value" : `Go struct field ${structOf(field)}.${field}`;
    throw new InvalidParameterError(
      `invalid JSON: json: cannot unmarshal ${error.goValue} into ${place} of type ${error.goType}`,
      { cause: error },
    );
  }
}

/** The struct that Go would name: the object that the field stands in. */
function structOf(field: string): string {
  return field.split(".").at(-2) ?? "Config";
}
