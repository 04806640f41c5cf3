import type { RequestedOutput } from "#engine/builds/outputs/build-output.ts";
import { NotImplementedError } from "#errors/errors.ts";
import { list, map, object, text } from "#lib/json-decoder.ts";

import { parseJson } from "../json-body.ts";
import type { RequestContext } from "../request-context.ts";

const decodeOutputs = list(
  object<{ readonly Type: string; readonly Attrs: Readonly<Record<string, string>> }>(
    { Type: text, Attrs: map(text, "") },
    { Type: "", Attrs: {} },
  ),
);

/** `outputs=[{"Type":"local","Attrs":{…}}]`. Throws InvalidParameterError. */
export function requestedOutputs(request: RequestContext): RequestedOutput[] {
  const given = request.text("outputs");
  if (given === "") return [];
  const outputs = decodeOutputs(parseJson(given) ?? [], "outputs");
  return outputs.map(({ Type: type, Attrs: attrs }) => ({ type, attrs }));
}

/** Only a session can take what is no image. Throws NotImplementedError. */
export function checkOutputs(request: RequestContext): void {
  if (requestedOutputs(request).length === 0) return;
  if (request.text("version") !== "2" || request.text("session") === "") {
    throw new NotImplementedError("outputs other than an image need BuildKit's client and its session");
  }
}
