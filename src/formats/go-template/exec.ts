/** Runs a parsed template on data. https://github.com/golang/go/blob/go1.24.3/src/text/template/exec.go */
import { errorMessage } from "#errors/errors.ts";
import { SHORT_CIRCUIT, type TemplateFunctions } from "./functions.ts";
import {
  type CommandNode,
  commandText,
  type Expression,
  expressionText,
  type Node,
  type Pipeline,
  pipelineText,
} from "./nodes.ts";
import type { Trees } from "./parser.ts";
import { argumentProblem, countProblem } from "./signatures.ts";
import { TemplateError } from "./template-error.ts";
import { formatValue, GoNil, isObject, isTrue, printValue, sortedEntries, structType, typeName } from "./values.ts";

/** Templates that call each other end somewhere. */
const MAX_DEPTH = 1000;
/** No value comes out of the pipe: the first command has no last argument. */
const NONE: unique symbol = Symbol("none");

export interface ExecuteOptions {
  readonly functions: TemplateFunctions;
  /** A missing key of a map is an error, not `<no value>`. */
  readonly missingKeyIsError: boolean;
}

type Jump = "break" | "continue" | undefined;
interface Variable {
  readonly name: string;
  value: unknown;
}

/** The text that the template's main tree makes of `data`. Throws TemplateError in Go's words. */
export function execute(source: string, trees: Trees, data: unknown, options: ExecuteOptions): string {
  const run = new Execution(source, trees, options);
  run.walkTree("", data, 0);
  return run.text;
}

class Execution {
  text = "";
  readonly #source: string;
  readonly #trees: Trees;
  readonly #options: ExecuteOptions;
  #variables: Variable[] = [];
  #name = "";
  #depth = 0;

  constructor(source: string, trees: Trees, options: ExecuteOptions) {
    this.#source = source;
    this.#trees = trees;
    this.#options = options;
  }

  walkTree(name: string, data: unknown, position: number): void {
    const nodes = this.#trees.get(name);
    if (!nodes) throw this.#error(position, `{{template "${name}"}}`, `template "${name}" not defined`);
    if (++this.#depth > MAX_DEPTH) {
      throw this.#error(position, `{{template "${name}"}}`, `exceeded maximum template depth (${MAX_DEPTH})`);
    }
    const outer = { variables: this.#variables, name: this.#name };
    this.#variables = [{ name: "$", value: data }];
    this.#name = name;
    this.#walkAll(data, nodes);
    this.#variables = outer.variables;
    this.#name = outer.name;
    this.#depth--;
  }

  #walkAll(dot: unknown, nodes: readonly Node[]): Jump {
    for (const node of nodes) {
      const jump = this.#walk(dot, node);
      if (jump) return jump;
    }
    return undefined;
  }

  #walk(dot: unknown, node: Node): Jump {
    switch (node.kind) {
      case "text":
        this.text += node.text;
        return undefined;
      case "action": {
        const value = this.#pipeline(dot, node.pipeline);
        if (node.pipeline.variables.length === 0) this.text += printValue(value);
        return undefined;
      }
      case "template":
        this.walkTree(node.name, node.pipeline ? this.#pipeline(dot, node.pipeline) : undefined, node.position);
        return undefined;
      case "break":
      case "continue":
        return node.kind;
      case "range":
        return this.#scoped(() => this.#range(dot, node));
      default:
        return this.#scoped(() => {
          const value = this.#pipeline(dot, node.pipeline);
          if (!isTrue(value)) return this.#walkAll(dot, node.otherwise);
          return this.#walkAll(node.kind === "with" ? value : dot, node.body);
        });
    }
  }

  #scoped(body: () => Jump): Jump {
    const mark = this.#variables.length;
    const jump = body();
    this.#variables.length = mark;
    return jump;
  }

  #range(dot: unknown, node: Extract<Node, { readonly kind: "if" | "with" | "range" }>): Jump {
    const { pipeline } = node;
    const value = this.#commands(dot, pipeline);
    const entries = this.#entriesOf(value, pipeline);
    for (const [key, element] of entries) {
      const jump = this.#scoped(() => {
        this.#bindLoop(pipeline, key, element);
        return this.#walkAll(element, node.body);
      });
      if (jump === "break") break;
    }
    return entries.length === 0 ? this.#walkAll(dot, node.otherwise) : undefined;
  }

  /** `range $element`, or `range $key, $element`. */
  #bindLoop(pipeline: Pipeline, key: unknown, element: unknown): void {
    const [first, second] = pipeline.variables;
    if (second !== undefined) this.#bind(pipeline, second, element);
    if (first !== undefined) this.#bind(pipeline, first, second === undefined ? element : key);
  }

  #entriesOf(value: unknown, pipeline: Pipeline): readonly (readonly [unknown, unknown])[] {
    if (Array.isArray(value)) return value.map((element, index) => [index, element] as const);
    if (value === undefined || value === null || value instanceof GoNil) return [];
    if (Number.isInteger(value) && pipeline.variables.length > 1) {
      const last = pipeline.commands.at(-1);
      throw this.#error(
        last?.position ?? pipeline.position,
        last ? commandText(last) : pipelineText(pipeline),
        `can't use ${formatValue(value)} to iterate over more than one variable`,
      );
    }
    if (Number.isInteger(value)) return Array.from({ length: Number(value) }, (_, index) => [index, index] as const);
    if (isObject(value) && structType(value) === undefined) return sortedEntries(value);
    throw this.#error(pipeline.position, pipelineText(pipeline), `range can't iterate over ${printValue(value)}`);
  }

  #pipeline(dot: unknown, pipeline: Pipeline): unknown {
    const value = this.#commands(dot, pipeline);
    for (const name of pipeline.variables) this.#bind(pipeline, name, value);
    return value;
  }

  #commands(dot: unknown, pipeline: Pipeline): unknown {
    let value: unknown = NONE;
    for (const command of pipeline.commands) value = this.#command(dot, command, value);
    return value === NONE ? undefined : value;
  }

  #bind(pipeline: Pipeline, name: string, value: unknown): void {
    const known = pipeline.assigns ? this.#variables.findLast((variable) => variable.name === name) : undefined;
    if (known) known.value = value;
    else this.#variables.push({ name, value });
  }

  /** A call, or a value that takes no arguments. `piped` comes last among the arguments. */
  #command(dot: unknown, command: CommandNode, piped: unknown): unknown {
    const [first, ...rest] = command.words;
    if (!first) return undefined;
    if (first.kind === "function") return this.#call(dot, first, rest, piped, commandText(command));
    const args = (): readonly unknown[] => {
      const values = rest.map((word) => this.#value(dot, word));
      return piped === NONE ? values : [...values, piped];
    };
    if (first.kind === "field") return this.#fields(dot, first.names, first, args);
    if (first.kind === "chain") return this.#fields(this.#value(dot, first.of), first.names, first, args);
    if (first.kind === "variable" && first.names.length > 0) {
      return this.#fields(this.#variable(first.name), first.names, first, args);
    }
    if (rest.length > 0 || piped !== NONE) {
      throw this.#error(
        first.position,
        expressionText(first),
        `can't give argument to non-function ${expressionText(first)}`,
      );
    }
    if (first.kind === "nil") throw this.#error(first.position, "nil", "nil is not a command");
    return this.#value(dot, first);
  }

  #value(dot: unknown, node: Expression): unknown {
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
        return this.#pipeline(dot, node.pipeline);
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
    if (miscounted) throw this.#error(node.position, name, miscounted);
    if (SHORT_CIRCUIT.has(name)) return this.#shortCircuit(dot, node, words, piped);
    const values = words.map((word, at) => this.#argument(dot, word, name, at));
    const args = piped === NONE ? values : [...values, piped];
    const callee = this.#options.functions[name];
    if (!callee) throw this.#error(node.position, name, `"${name}" is not a defined function`);
    try {
      return callee(...args);
    } catch (error) {
      throw this.#error(node.position, text, `error calling ${name}: ${errorMessage(error)}`);
    }
  }

  /** An argument that has the type which the function declares. */
  #argument(dot: unknown, word: Expression, name: string, at: number): unknown {
    const value = this.#value(dot, word);
    const problem = argumentProblem(name, at, value, word.kind === "literal" ? word.text : undefined);
    if (problem) throw this.#error(word.position, expressionText(word), problem);
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
  #fields(
    receiver: unknown,
    names: readonly string[],
    node: Expression,
    args: () => readonly unknown[] = () => [],
  ): unknown {
    return names.reduce(
      (value, name, at) => this.#field(value, name, node, at === names.length - 1 ? args() : []),
      receiver,
    );
  }

  #field(receiver: unknown, name: string, node: Expression, args: readonly unknown[]): unknown {
    const fail = (problem: string): TemplateError => this.#error(node.position, expressionText(node), problem);
    if (receiver === undefined) {
      if (this.#options.missingKeyIsError) throw fail(`nil data; no entry for key "${name}"`);
      return undefined;
    }
    if (receiver instanceof GoNil && receiver.kind === "map") return this.#missingKey(name, fail);
    if (receiver === null || receiver instanceof GoNil) throw fail(`nil pointer evaluating interface {}.${name}`);
    if (!isObject(receiver)) throw fail(`can't evaluate field ${name} in type ${typeName(receiver)}`);
    const value = Object.hasOwn(receiver, name) ? receiver[name] : undefined;
    if (isMethod(value)) return this.#method(value, name, args, fail);
    if (value === undefined && !Object.hasOwn(receiver, name)) {
      if (structType(receiver) !== undefined) throw fail(`can't evaluate field ${name} in type ${typeName(receiver)}`);
      if (args.length === 0) return this.#missingKey(name, fail);
    }
    if (args.length > 0) {
      throw fail(argumentsProblem(name, args.length, structType(receiver)));
    }
    return value;
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

  #error(position: number, context: string, problem: string): TemplateError {
    const before = this.#source.slice(0, position);
    const column = Buffer.byteLength(before.slice(before.lastIndexOf("\n") + 1));
    const line = before.split("\n").length;
    return new TemplateError(`template: :${line}:${column}: executing "${this.#name}" at <${context}>: ${problem}`);
  }
}

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
