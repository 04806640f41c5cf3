import { InvalidParameterError } from "#errors/errors.ts";
import { type Flag, valueFlag } from "../grammar/flag.ts";

/** `--builder`, which buildx's commands have. There is one, the engine's own; InvalidParameterError in buildx's words for another. */
export const builderFlag: { readonly builder: Flag<string> } = {
  builder: valueFlag("Override the configured builder instance", { type: "string", initial: "" }, checkBuilder),
};

function checkBuilder(value: string): string {
  if (value === "" || value === "default") return value;
  throw new InvalidParameterError(`no builder ${JSON.stringify(value)} found: Berth builds itself, as "default"`);
}
