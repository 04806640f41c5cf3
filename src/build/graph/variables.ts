/**
 * The variables that a stage sees, in the order in which they were last set: BuildKit's EnvList. The order reaches the
 * environment of RUN and with it the cache key. Immutable: a stage that builds on another one continues from its list.
 */
export class VariableList {
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: Iterable<readonly [string, string]> = []) {
    this.#values = new Map(values);
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** The list with `name` set, moved to the end. */
  with(name: string, value: string): VariableList {
    const next = new Map(this.#values);
    next.delete(name);
    next.set(name, value);
    return new VariableList(next);
  }

  /** `NAME=value` strings. */
  toEnvironment(): string[] {
    return [...this.#values].map(([name, value]) => `${name}=${value}`);
  }
}

/** `NAME=value` as a pair; a name alone has the value "". */
export function splitVariable(variable: string): [string, string] {
  const equals = variable.indexOf("=");
  return equals < 0 ? [variable, ""] : [variable.slice(0, equals), variable.slice(equals + 1)];
}
