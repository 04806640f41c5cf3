import { InvalidParameterError } from "#errors/errors.ts";
import { suggestion } from "#lib/closest-word.ts";

/** What an instruction takes: `string` needs `=value`, `boolean` may have `=true` or `=false`, `list` may come more than once. */
export type FlagKind = "string" | "boolean" | "list";

/** The flags of one instruction, read and checked. */
export class FlagValues {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** "" if the flag is absent. */
  string(name: string): string {
    return this.#values.get(name)?.[0] ?? "";
  }

  boolean(name: string): boolean {
    return this.string(name) === "true";
  }

  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }
}

/**
 * Reads `--name[=value]` words against what `known` allows. Throws InvalidParameterError, with a suggestion for a flag that is nearly
 * one. https://github.com/moby/buildkit/blob/master/frontend/dockerfile/instructions/bflag.go
 */
export function parseFlags(words: readonly string[], known: Readonly<Record<string, FlagKind>>): FlagValues {
  const values = new Map<string, string[]>();
  for (const word of words) {
    const equals = word.indexOf("=");
    const flag = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? undefined : word.slice(equals + 1);
    const name = flag.slice(2);
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) {
      throw new InvalidParameterError(`unknown flag: ${flag}${suggestion(name, Object.keys(known))}`);
    }
    const earlier = values.get(name);
    if (earlier && kind !== "list") throw new InvalidParameterError(`duplicate flag specified: ${flag}`);
    values.set(name, [...(earlier ?? []), kind === "boolean" ? booleanValue(flag, value) : stringValue(flag, value)]);
  }
  return new FlagValues(values);
}

function stringValue(flag: string, value: string | undefined): string {
  if (value === undefined) throw new InvalidParameterError(`missing a value on flag: ${flag}`);
  return value;
}

function booleanValue(flag: string, value = "true"): string {
  if (value === "") throw new InvalidParameterError(`missing a value on flag: ${flag}`);
  const lower = value.toLowerCase();
  if (lower !== "true" && lower !== "false") {
    throw new InvalidParameterError(`expecting boolean value for flag ${flag}, not: ${value}`);
  }
  return lower;
}
