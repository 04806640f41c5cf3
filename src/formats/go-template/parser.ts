/** From tokens to the tree: what stands between pipelines. https://github.com/golang/go/blob/go1.24.3/src/text/template/parse/parse.go */
import type { Token } from "./lexer.ts";
import type { Node } from "./nodes.ts";
import { PipelineParser } from "./pipeline-parser.ts";
import { TokenCursor } from "./token-cursor.ts";

/** Trees by name; the main one has the empty name. */
export type Trees = ReadonlyMap<string, readonly Node[]>;

/** Parses a template. `functions` are the names that it may call. Throws TemplateError in Go's words. */
export function parse(source: string, functions: ReadonlySet<string>): Trees {
  return new Parser(source, functions).parse();
}

interface List {
  readonly nodes: readonly Node[];
  /** What ended it: `end`, `else`, or nothing at the end of the template. */
  readonly ending: "end" | "else" | undefined;
}

class Parser {
  readonly #cursor: TokenCursor;
  readonly #pipelines: PipelineParser;
  readonly #trees: Map<string, readonly Node[]> = new Map();
  #loops = 0;
  /** How many `if`, `with` and `range` are open. */
  #depth = 0;

  constructor(source: string, functions: ReadonlySet<string>) {
    this.#cursor = new TokenCursor(source);
    this.#pipelines = new PipelineParser(this.#cursor, functions);
  }

  parse(): Trees {
    const list = this.#list("");
    if (list.ending) throw this.#cursor.error(`unexpected {{${list.ending}}}`);
    this.#trees.set("", list.nodes);
    return this.#trees;
  }

  /** Nodes up to `{{end}}`, `{{else}}` or the end of the template; `inside` names what they belong to. */
  #list(inside: string): List {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#cursor.next();
      if (token.kind === "end") {
        if (inside !== "") throw this.#cursor.error("unexpected EOF", token);
        return { nodes, ending: undefined };
      }
      if (token.kind === "text") {
        nodes.push({ kind: "text", text: token.text });
        continue;
      }
      const ending = this.#endingKeyword();
      if (ending) return { nodes, ending };
      const node = this.#action();
      if (node) nodes.push(node);
    }
  }

  #endingKeyword(): "end" | "else" | undefined {
    const token = this.#cursor.peek();
    if (token.kind !== "keyword" || (token.text !== "end" && token.text !== "else")) return undefined;
    this.#cursor.next();
    if (token.text === "end") this.#cursor.expect("close", "end");
    return token.text;
  }

  /** What stands behind `{{`. A definition gives no node. */
  #action(): Node | undefined {
    const token = this.#cursor.peek();
    if (token.kind !== "keyword") {
      const pipeline = this.#pipelines.pipeline("command", "close");
      return { kind: "action", position: token.position, pipeline };
    }
    this.#cursor.next();
    switch (token.text) {
      case "if":
      case "with":
      case "range":
        return this.#control(token.text, token.position);
      case "template":
        return this.#templateCall();
      case "define":
        // Definitions stand by themselves, not inside other actions.
        if (this.#depth > 0) throw this.#cursor.error("unexpected <define> in command", token);
        return this.#definition();
      case "block":
        return this.#block(token.position);
      default:
        return this.#loopJump(token);
    }
  }

  #loopJump(token: Token): Node {
    const kind = token.text === "break" ? "break" : "continue";
    if (this.#loops === 0) throw this.#cursor.error(`{{${kind}}} outside {{range}}`, token);
    this.#cursor.expect("close", `{{${kind}}}`);
    return { kind, position: token.position };
  }

  #control(kind: "if" | "with" | "range", position: number): Node {
    const scope = this.#pipelines.variables.length;
    const pipeline = this.#pipelines.pipeline(kind, "close");
    if (kind === "range") this.#loops++;
    this.#depth++;
    const list = this.#list(kind);
    if (kind === "range") this.#loops--;
    const otherwise = list.ending === "else" ? this.#otherwise(kind) : [];
    this.#depth--;
    this.#pipelines.variables.length = scope;
    return { kind, position, pipeline, body: list.nodes, otherwise };
  }

  /** `{{else}}…{{end}}`, or `{{else if …}}` as an `if` of its own that shares the `{{end}}`. */
  #otherwise(kind: "if" | "with" | "range"): readonly Node[] {
    const token = this.#cursor.peek();
    if (token.kind === "keyword" && token.text === kind && kind !== "range") {
      this.#cursor.next();
      return [this.#control(kind, token.position)];
    }
    this.#cursor.expect("close", "else");
    const list = this.#list(kind);
    if (list.ending === "else") throw this.#cursor.error(`expected end; found {{else}}`);
    return list.nodes;
  }

  #templateCall(): Node {
    const { position } = this.#cursor.peek();
    const name = this.#templateName("template clause");
    if (this.#cursor.peek().kind === "close") {
      this.#cursor.next();
      return { kind: "template", position, name };
    }
    return { kind: "template", position, name, pipeline: this.#pipelines.pipeline("template clause", "close") };
  }

  #definition(): undefined {
    const name = this.#templateName("define clause");
    this.#cursor.expect("close", "define clause");
    this.#define(name);
    return undefined;
  }

  #block(position: number): Node {
    const name = this.#templateName("block clause");
    const pipeline = this.#pipelines.pipeline("block clause", "close");
    this.#define(name);
    return { kind: "template", position, name, pipeline };
  }

  /** A definition sees none of the variables around it. */
  #define(name: string): void {
    const outer = this.#pipelines.variables;
    const loops = this.#loops;
    this.#pipelines.variables = ["$"];
    this.#loops = 0;
    const list = this.#list("define");
    if (list.ending !== "end") throw this.#cursor.error("unexpected {{else}} in define clause");
    const before = this.#trees.get(name);
    if (before && !isEmptyTree(before) && !isEmptyTree(list.nodes)) {
      throw this.#cursor.error(`template: multiple definition of template "${name}"`);
    }
    if (!before || !isEmptyTree(list.nodes)) this.#trees.set(name, list.nodes);
    this.#pipelines.variables = outer;
    this.#loops = loops;
  }

  #templateName(context: string): string {
    const token = this.#cursor.next();
    if (token.kind !== "string" && token.kind !== "rawString") throw this.#cursor.unexpected(token, context);
    return String(this.#pipelines.literal(token));
  }
}

/** Whether a tree makes no text: such a definition gives way to another. */
function isEmptyTree(nodes: readonly Node[]): boolean {
  return nodes.every((node) => node.kind === "text" && node.text.trim() === "");
}
