/** Runs a parsed template on data. https://github.com/golang/go/blob/go1.24.3/src/text/template/exec.go */
import { Evaluator, type ExecuteOptions } from "./evaluate.ts";
import { commandText, type Node, type Pipeline, pipelineText } from "./nodes.ts";
import type { Trees } from "./parser.ts";
import { ExecutionError, TemplateError } from "./template-error.ts";
import { formatValue, GoNil, isObject, isTrue, printValue, sortedEntries, structType } from "./values.ts";

/** Templates that call each other end somewhere. */
const MAX_DEPTH = 1000;

type Jump = "break" | "continue" | undefined;

/** The text that the template's main tree makes of `data`. Throws ExecutionError in Go's words, with the text up to there. */
export function execute(source: string, trees: Trees, data: unknown, options: ExecuteOptions): string {
  const run = new Execution(trees, new Evaluator(source, options), options.name);
  try {
    run.walkTree("", data, 0);
  } catch (cause) {
    if (!(cause instanceof TemplateError)) throw cause;
    throw new ExecutionError(cause.message, run.text, { cause });
  }
  return run.text;
}

class Execution {
  text = "";
  readonly #trees: Trees;
  readonly #evaluator: Evaluator;
  /** The template's, which its main tree goes by. */
  readonly #name: string;
  #depth = 0;

  constructor(trees: Trees, evaluator: Evaluator, name: string) {
    this.#trees = trees;
    this.#evaluator = evaluator;
    this.#name = name;
  }

  walkTree(name: string, data: unknown, position: number): void {
    const nodes = this.#trees.get(name);
    if (!nodes) throw this.#evaluator.error(position, `{{template "${name}"}}`, `template "${name}" not defined`);
    if (++this.#depth > MAX_DEPTH) {
      throw this.#evaluator.error(position, `{{template "${name}"}}`, `exceeded maximum template depth (${MAX_DEPTH})`);
    }
    this.#evaluator.inTree(name === "" ? this.#name : name, data, () => void this.#walkAll(data, nodes));
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
        const value = this.#evaluator.pipeline(dot, node.pipeline);
        if (node.pipeline.variables.length === 0) this.text += printValue(value);
        return undefined;
      }
      case "template":
        this.walkTree(
          node.name,
          node.pipeline ? this.#evaluator.pipeline(dot, node.pipeline) : undefined,
          node.position,
        );
        return undefined;
      case "break":
      case "continue":
        return node.kind;
      case "range":
        return this.#evaluator.scoped(() => this.#range(dot, node));
      default:
        return this.#evaluator.scoped(() => {
          const value = this.#evaluator.pipeline(dot, node.pipeline);
          if (!isTrue(value)) return this.#walkAll(dot, node.otherwise);
          return this.#walkAll(node.kind === "with" ? value : dot, node.body);
        });
    }
  }

  #range(dot: unknown, node: Extract<Node, { readonly kind: "if" | "with" | "range" }>): Jump {
    const { pipeline } = node;
    const value = this.#evaluator.commands(dot, pipeline);
    const entries = this.#entriesOf(value, pipeline);
    for (const [key, element] of entries) {
      const jump = this.#evaluator.scoped(() => {
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
    if (second !== undefined) this.#evaluator.bind(pipeline, second, element);
    if (first !== undefined) this.#evaluator.bind(pipeline, first, second === undefined ? element : key);
  }

  #entriesOf(value: unknown, pipeline: Pipeline): readonly (readonly [unknown, unknown])[] {
    if (Array.isArray(value)) return value.map((element, index) => [index, element] as const);
    if (value === undefined || value === null || value instanceof GoNil) return [];
    if (Number.isInteger(value) && pipeline.variables.length > 1) {
      const last = pipeline.commands.at(-1);
      throw this.#evaluator.error(
        last?.position ?? pipeline.position,
        last ? commandText(last) : pipelineText(pipeline),
        `can't use ${formatValue(value)} to iterate over more than one variable`,
      );
    }
    if (Number.isInteger(value)) return Array.from({ length: Number(value) }, (_, index) => [index, index] as const);
    if (isObject(value) && structType(value) === undefined) return sortedEntries(value);
    throw this.#evaluator.error(
      pipeline.position,
      pipelineText(pipeline),
      `range can't iterate over ${printValue(value)}`,
    );
  }
}
