import { InvalidParameterError } from "#errors/errors.ts";
import { formatPlatform, hostPlatform } from "#formats/platform.ts";
import { asArray, asBoolean, asNumber, asText } from "./hcl/convert.ts";
import { evaluate, type HclFunction, type HclScope, withVariables } from "./hcl/evaluate.ts";
import { FUNCTIONS } from "./hcl/functions.ts";
import type { HclBody, HclExpression, HclValue } from "./hcl/syntax.ts";

interface Definition {
  readonly value: HclExpression | undefined;
  /** The environment may give it another value. */
  readonly isOpen: boolean;
  readonly validations: readonly HclBody[];
}

/** Variables, functions and attributes of targets, each evaluated when something asks for it. */
export class BakeScope implements HclScope {
  readonly #values = new Map<string, HclValue>();
  readonly #definitions = new Map<string, Definition>();
  readonly #functions = new Map<string, HclFunction>();
  readonly #targets = new Map<string, Map<string, HclExpression>>();
  readonly #open = new Set<string>();
  readonly #environment: Readonly<Record<string, string | undefined>>;

  /** Takes all files' bodies; a later one's definition counts. Throws InvalidParameterError for a function that is none. */
  constructor(bodies: readonly HclBody[], environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment;
    this.#values.set("BAKE_CMD_CONTEXT", "cwd://");
    this.#values.set("BAKE_LOCAL_PLATFORM", formatPlatform(hostPlatform()));
    for (const { attributes, blocks } of bodies) {
      for (const { name, value } of attributes) this.#definitions.set(name, { value, isOpen: false, validations: [] });
      for (const { type, labels, body } of blocks) {
        const [label = ""] = labels;
        if (type === "variable") {
          const validations = body.blocks.flatMap((block) => (block.type === "validation" ? [block.body] : []));
          this.#definitions.set(label, { value: attributeOf(body, "default"), isOpen: true, validations });
        }
        if (type === "function") this.#functions.set(label, this.#functionOf(label, body));
        if (type === "target") this.#addTarget(label, body);
      }
    }
  }

  variable(name: string): HclValue | undefined {
    if (name === "target") return this.#targetValues();
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const definition = this.#definitions.get(name);
    if (!definition) return undefined;
    const value = this.#guarded(name, () => this.#variableValue(name, definition));
    this.#values.set(name, value);
    for (const body of definition.validations) this.#validate(name, body);
    return value;
  }

  /** `validation { condition = …, error_message = … }` of a variable. */
  #validate(name: string, body: HclBody): void {
    const condition = attributeOf(body, "condition");
    if (!condition || asBoolean(evaluate(condition, this))) return;
    const message = attributeOf(body, "error_message");
    throw new InvalidParameterError(
      `Invalid value for variable ${name}: ${message ? asText(evaluate(message, this)) : "its validation fails"}`,
    );
  }

  function(name: string): HclFunction | undefined {
    return this.#functions.get(name) ?? (Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined);
  }

  functionNames(): readonly string[] {
    return [...this.#functions.keys(), ...Object.keys(FUNCTIONS)];
  }

  /** A variable takes the type of its default from the environment; an attribute of the file is no variable. */
  #variableValue(name: string, { value, isOpen }: Definition): HclValue {
    const fallback = value === undefined ? "" : evaluate(value, this);
    const given = isOpen ? this.#environment[name] : undefined;
    if (given === undefined) return fallback ?? "";
    if (typeof fallback === "number") return asNumber(given);
    if (typeof fallback === "boolean") return asBoolean(given);
    if (fallback === null || typeof fallback === "string") return given;
    throw new InvalidParameterError(
      `Invalid value; unsupported type ${Array.isArray(fallback) ? "tuple" : "object"} for variable ${name}`,
    );
  }

  #functionOf(name: string, body: HclBody): HclFunction {
    const params = namesIn(attributeOf(body, "params"));
    const [rest] = namesIn(attributeOf(body, "variadic_params"));
    const result = attributeOf(body, "result");
    if (!result) throw new InvalidParameterError(`function ${name}: it has no result`);
    return (...args) => {
      if (args.length < params.length || (rest === undefined && args.length > params.length))
        throw new InvalidParameterError(
          `Error in function call; ${name} takes ${params.length} arguments, not ${args.length}.`,
        );
      const values = Object.fromEntries(params.map((param, at) => [param, args[at] ?? null]));
      const more = rest === undefined ? {} : { [rest]: args.slice(params.length) };
      return this.#guarded(`${name}()`, () => evaluate(result, withVariables(this, { ...values, ...more })));
    };
  }

  #addTarget(name: string, body: HclBody): void {
    const known = this.#targets.get(name) ?? new Map<string, HclExpression>();
    for (const { name: attribute, value } of body.attributes) known.set(attribute, value);
    this.#targets.set(name, known);
  }

  /** `target.NAME.ATTRIBUTE`: of what a target says itself. */
  #targetValues(): HclValue {
    const lazily = (get: (name: string) => HclValue, names: readonly string[]): HclValue =>
      Object.defineProperties(
        {},
        Object.fromEntries(names.map((name) => [name, { enumerable: true, get: () => get(name) }])),
      ) as HclValue;
    return lazily(
      (target) => {
        const attributes = this.#targets.get(target) ?? new Map<string, HclExpression>();
        return lazily(
          (attribute) => {
            const value = attributes.get(attribute);
            return value ? this.#guarded(`target.${target}.${attribute}`, () => evaluate(value, this)) : null;
          },
          [...attributes.keys()],
        );
      },
      [...this.#targets.keys()],
    );
  }

  #guarded<T>(name: string, work: () => T): T {
    if (this.#open.has(name)) throw new InvalidParameterError(`variable cycle not allowed for ${name}`);
    this.#open.add(name);
    try {
      return work();
    } finally {
      this.#open.delete(name);
    }
  }
}

export function attributeOf(body: HclBody, name: string): HclExpression | undefined {
  return body.attributes.findLast((attribute) => attribute.name === name)?.value;
}

/** Parameters: bare names in a list, or texts in JSON. */
function namesIn(expression: HclExpression | undefined): readonly string[] {
  if (!expression) return [];
  if (expression.kind === "variable") return [expression.name];
  if (expression.kind === "literal")
    return Array.isArray(expression.value) ? asArray(expression.value).map(asText) : [asText(expression.value)];
  if (expression.kind === "list") return expression.items.flatMap(namesIn);
  throw new InvalidParameterError(`line ${expression.line}: parameters are names`);
}
