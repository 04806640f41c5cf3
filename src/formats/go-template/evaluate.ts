/** Expressions of a template and their values. https://github.com/golang/go/blob/go1.24.3/src/text/template/exec.go */
import { errorMessage } from "#errors/errors.ts";
import { SHORT_CIRCUIT, type TemplateFunctions } from "./functions.ts";
import { type CommandNode, commandText, type Expression, expressionText, type Pipeline } from "./nodes.ts";
import { argumentProblem, countProblem } from "./signatures.ts";
import { TemplateError } from "./template-error.ts";
import { GoNil, isObject, isTrue, structType, typeName } from "./values.ts";

/** No value comes out of the pipe: the first command has no last argument. */
const NONE: unique symbol = Symbol("none");

export interface ExecuteOptions {
  readonly functions: TemplateFunctions;
  /** A missing key of a map is an error, not `<no value>`. */
  readonly missingKeyIsError: boolean;
  /** The template's, for messages. */
  readonly name: string;
}

interface Variable {
  readonly name: string;
  value: unknown;
}

/** Evaluates pipelines, and knows the variables that they see. */
export class Evaluator {
  readonly #source: string;
  readonly #options: ExecuteOptions;
  #variables: Variable[] = [];
  #tree: string;
  /** What is evaluated at the moment: errors of what has no value name it. */
  #current: Expression | undefined;

  constructor(source: string, options: ExecuteOptions) {
    this.#source = source;
    this.#options = options;
    this.#tree = options.name;
  }

  /** Runs `body` in the tree of that name, which sees `$` and none of the variables around it. */
  inTree(name: string, data: unknown, body: () => void): void {
    const outer = { variables: this.#variables, tree: this.#tree };
    this.#variables = [{ name: "$", value: data }];
    this.#tree = name;
    body();
    this.#variables = outer.variables;
    this.#tree = outer.tree;
  }

  /** Runs `body`, whose variables end with it. */
  scoped<T>(body: () => T): T {
    const mark = this.#variables.length;
    const result = body();
    this.#variables.length = mark;
    return result;
  }

  pipeline(dot: unknown, pipeline: Pipeline): unknown {
    const value = this.commands(dot, pipeline);
    for (const name of pipeline.variables) this.bind(pipeline, name, value);
    return value;
  }

  commands(dot: unknown, pipeline: Pipeline): unknown {
    let value: unknown = NONE;
    for (const command of pipeline.commands) value = this.#command(dot, command, value);
    return value === NONE ? undefined : value;
  }

  bind(pipeline: Pipeline, name: string, value: unknown): void {
    const known = pipeline.assigns ? this.#variables.findLast((variable) => variable.name === name) : undefined;
    if (known) known.value = value;
    else this.#variables.push({ name, value });
  }

  /** A call, or a value that takes no arguments. `piped` comes last among the arguments. */
  #command(dot: unknown, command: CommandNode, piped: unknown): unknown {
    const [first, ...rest] = command.words;
    if (!first) return undefined;
    this.#current = first;
    if (first.kind === "function") return this.#call(dot, first, rest, piped, commandText(command));
    const args: Arguments = {
      count: rest.length + (piped === NONE ? 0 : 1),
      values: () => {
        const values = rest.map((word) => this.#value(dot, word));
        return piped === NONE ? values : [...values, piped];
      },
    };
    if (first.kind === "field") return this.#fields(dot, first.names, first, args);
    if (first.kind === "chain") return this.#fields(this.#value(dot, first.of), first.names, first, args);
    if (first.kind === "variable" && first.names.length > 0) {
      return this.#fields(this.#variable(first.name), first.names, first, args);
    }
    if (rest.length > 0 || piped !== NONE) {
      throw this.error(
        first.position,
        expressionText(first),
        `can't give argument to non-function ${expressionText(first)}`,
      );
    }
    if (first.kind === "nil") throw this.error(first.position, "nil", "nil is not a command");
    return this.#value(dot, first);
  }

  #value(dot: unknown, node: Expression): unknown {
    this.#current = node;
    switch (node.kind) {
      case "dot":
        return dot;
      case "nil":
        return null;
      case "literal":
        return node.value;
      case "field":
        return this.#fields(dot, node.names, node);
      case "variable":
        return this.#fields(this.#variable(node.name), node.names, node);
      case "chain":
        return this.#fields(this.#value(dot, node.of), node.names, node);
      case "function":
        return this.#call(dot, node, [], NONE, node.name);
      case "pipeline":
        return this.pipeline(dot, node.pipeline);
    }
  }

  #variable(name: string): unknown {
    return this.#variables.findLast((variable) => variable.name === name)?.value;
  }

  #call(
    dot: unknown,
    node: Extract<Expression, { readonly kind: "function" }>,
    words: readonly Expression[],
    piped: unknown,
    text: string,
  ): unknown {
    const { name } = node;
    const miscounted = countProblem(name, words.length + (piped === NONE ? 0 : 1));
    if (miscounted) throw this.error(node.position, name, miscounted);
    if (SHORT_CIRCUIT.has(name)) return this.#shortCircuit(dot, node, words, piped);
    const values = words.map((word, at) => this.#argument(dot, word, name, at));
    const mistyped = piped === NONE ? undefined : argumentProblem(name, values.length, piped, undefined);
    if (mistyped) throw this.error(node.position, name, mistyped);
    const args = piped === NONE ? values : [...values, piped];
    const callee = this.#options.functions[name];
    if (!callee) throw this.error(node.position, name, `"${name}" is not a defined function`);
    try {
      return callee(...args);
    } catch (error) {
      throw this.error(node.position, text, `error calling ${name}: ${errorMessage(error)}`);
    }
  }

  /** An argument that has the type which the function declares. */
  #argument(dot: unknown, word: Expression, name: string, at: number): unknown {
    const value = this.#value(dot, word);
    const problem = argumentProblem(name, at, value, word.kind === "literal" ? word.text : undefined);
    if (problem) throw this.error(word.position, expressionText(word), problem);
    return value;
  }

  /** `and` gives the first false value, `or` the first true one, else the last. */
  #shortCircuit(
    dot: unknown,
    node: Extract<Expression, { readonly kind: "function" }>,
    words: readonly Expression[],
    piped: unknown,
  ): unknown {
    let value: unknown;
    for (const word of words) {
      value = this.#value(dot, word);
      if (isTrue(value) === (node.name === "or")) return value;
    }
    return piped === NONE ? value : piped;
  }

  /** Goes down `names`. Only the last may be a method that takes arguments. */
  #fields(receiver: unknown, names: readonly string[], node: Expression, args: Arguments = NO_ARGUMENTS): unknown {
    return names.reduce(
      (value, name, at) => this.#field(value, name, node, at === names.length - 1 ? args : NO_ARGUMENTS),
      receiver,
    );
  }

  #field(receiver: unknown, name: string, node: Expression, args: Arguments): unknown {
    // Go names what it has looked at last: behind `(index .List 0)` that is the 0.
    const last = this.#current ?? node;
    const fail = (problem: string): TemplateError => this.error(last.position, expressionText(last), problem);
    if (receiver === undefined) {
      if (!this.#options.missingKeyIsError) return undefined;
      throw fail(`nil data; no entry for key "${name}"`);
    }
    if (receiver instanceof GoNil && receiver.kind === "map") return this.#missingKey(name, fail);
    if (receiver === null || receiver instanceof GoNil) throw fail(`nil pointer evaluating interface {}.${name}`);
    if (!isObject(receiver)) throw fail(`can't evaluate field ${name} in type ${this.#holderOf(receiver, node)}`);
    const value = Object.hasOwn(receiver, name) ? receiver[name] : undefined;
    if (isMethod(value)) return this.#method(value, name, args.values(), fail);
    if (value === undefined && !Object.hasOwn(receiver, name)) {
      if (structType(receiver) !== undefined) throw fail(`can't evaluate field ${name} in type ${typeName(receiver)}`);
      if (args.count === 0) return this.#missingKey(name, fail);
    }
    if (args.count > 0) {
      throw fail(argumentsProblem(name, args.count, structType(receiver)));
    }
    return value;
  }

  /** Plain JSON is held in variables of any type, and Go names the type of those; what a pipeline gives has its own. */
  #holderOf(value: unknown, node: Expression): string {
    return this.#options.missingKeyIsError && node.kind !== "chain" ? "interface {}" : typeName(value);
  }

  #missingKey(name: string, fail: (problem: string) => TemplateError): undefined {
    if (this.#options.missingKeyIsError) throw fail(`map has no entry for key "${name}"`);
    return undefined;
  }

  #method(method: Method, name: string, args: readonly unknown[], fail: (problem: string) => TemplateError): unknown {
    if (args.length !== method.length) {
      throw fail(`wrong number of args for ${name}: want ${method.length} got ${args.length}`);
    }
    return method(...args);
  }

  error(position: number, context: string, problem: string): TemplateError {
    const before = this.#source.slice(0, position);
    const column = Buffer.byteLength(before.slice(before.lastIndexOf("\n") + 1));
    const line = before.split("\n").length;
    const place = `${this.#options.name}:${line}:${column}`;
    return new TemplateError(`template: ${place}: executing "${this.#tree}" at <${context}>: ${problem}`);
  }
}

/** Arguments behind a field. Only a method's are evaluated. */
interface Arguments {
  readonly count: number;
  values(): readonly unknown[];
}

const NO_ARGUMENTS: Arguments = { count: 0, values: () => [] };

type Method = (...args: readonly unknown[]) => unknown;

function isMethod(value: unknown): value is Method {
  return typeof value === "function";
}

/** What is wrong with giving arguments to a field. A pointer's fields are methods: docker's rows have nothing else. */
function argumentsProblem(name: string, count: number, type: string | undefined): string {
  if (type === undefined) return `${name} is not a method but has arguments`;
  if (type.startsWith("*")) return `wrong number of args for ${name}: want 0 got ${count}`;
  return `${name} has arguments but cannot be invoked as function`;
}
