/** From tokens to the tree. https://github.com/golang/go/blob/go1.24.3/src/text/template/parse/parse.go */
import { errorMessage } from "#errors/errors.ts";
import { lex, lexError, type Token, type TokenKind } from "./lexer.ts";
import { parseLiteral } from "./literal.ts";
import { type CommandNode, type Expression, expressionText, type Node, type Pipeline } from "./nodes.ts";
import type { TemplateError } from "./template-error.ts";

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
  readonly #source: string;
  readonly #tokens: readonly Token[];
  readonly #functions: ReadonlySet<string>;
  readonly #trees: Map<string, readonly Node[]> = new Map();
  #at = 0;
  #variables: string[] = ["$"];
  #loops = 0;
  /** How many `if`, `with` and `range` are open. */
  #depth = 0;

  constructor(source: string, functions: ReadonlySet<string>) {
    this.#source = source;
    this.#tokens = lex(source);
    this.#functions = functions;
  }

  parse(): Trees {
    const list = this.#list("");
    if (list.ending) throw this.#error(`unexpected {{${list.ending}}}`);
    this.#trees.set("", list.nodes);
    return this.#trees;
  }

  /** Nodes up to `{{end}}`, `{{else}}` or the end of the template; `inside` names what they belong to. */
  #list(inside: string): List {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#next();
      if (token.kind === "end") {
        if (inside !== "") throw this.#error("unexpected EOF", token);
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
    const token = this.#peek();
    if (token.kind !== "keyword" || (token.text !== "end" && token.text !== "else")) return undefined;
    this.#next();
    if (token.text === "end") this.#expect("close", "end");
    return token.text;
  }

  /** What stands behind `{{`. A definition gives no node. */
  #action(): Node | undefined {
    const token = this.#peek();
    if (token.kind !== "keyword") {
      const pipeline = this.#pipeline("command", "close");
      return { kind: "action", position: token.position, pipeline };
    }
    this.#next();
    switch (token.text) {
      case "if":
      case "with":
      case "range":
        return this.#control(token.text, token.position);
      case "template":
        return this.#templateCall();
      case "define":
        // Definitions stand by themselves, not inside other actions.
        if (this.#depth > 0) throw this.#error("unexpected <define> in command", token);
        return this.#definition();
      case "block":
        return this.#block(token.position);
      default:
        return this.#loopJump(token);
    }
  }

  #loopJump(token: Token): Node {
    const kind = token.text === "break" ? "break" : "continue";
    if (this.#loops === 0) throw this.#error(`{{${kind}}} outside {{range}}`, token);
    this.#expect("close", `{{${kind}}}`);
    return { kind, position: token.position };
  }

  #control(kind: "if" | "with" | "range", position: number): Node {
    const scope = this.#variables.length;
    const pipeline = this.#pipeline(kind, "close");
    if (kind === "range") this.#loops++;
    this.#depth++;
    const list = this.#list(kind);
    if (kind === "range") this.#loops--;
    const otherwise = list.ending === "else" ? this.#otherwise(kind) : [];
    this.#depth--;
    this.#variables.length = scope;
    return { kind, position, pipeline, body: list.nodes, otherwise };
  }

  /** `{{else}}…{{end}}`, or `{{else if …}}` as an `if` of its own that shares the `{{end}}`. */
  #otherwise(kind: "if" | "with" | "range"): readonly Node[] {
    const token = this.#peek();
    if (token.kind === "keyword" && token.text === kind && kind !== "range") {
      this.#next();
      return [this.#control(kind, token.position)];
    }
    this.#expect("close", "else");
    const list = this.#list(kind);
    if (list.ending === "else") throw this.#error(`expected end; found {{else}}`);
    return list.nodes;
  }

  #templateCall(): Node {
    const { position } = this.#peek();
    const name = this.#templateName("template clause");
    if (this.#peek().kind === "close") {
      this.#next();
      return { kind: "template", position, name };
    }
    return { kind: "template", position, name, pipeline: this.#pipeline("template clause", "close") };
  }

  #definition(): undefined {
    const name = this.#templateName("define clause");
    this.#expect("close", "define clause");
    this.#define(name);
    return undefined;
  }

  #block(position: number): Node {
    const name = this.#templateName("block clause");
    const pipeline = this.#pipeline("block clause", "close");
    this.#define(name);
    return { kind: "template", position, name, pipeline };
  }

  /** A definition sees none of the variables around it. */
  #define(name: string): void {
    const outer = this.#variables;
    const loops = this.#loops;
    this.#variables = ["$"];
    this.#loops = 0;
    const list = this.#list("define");
    if (list.ending !== "end") throw this.#error("unexpected {{else}} in define clause");
    const before = this.#trees.get(name);
    if (before && !isEmptyTree(before) && !isEmptyTree(list.nodes)) {
      throw this.#error(`template: multiple definition of template "${name}"`);
    }
    if (!before || !isEmptyTree(list.nodes)) this.#trees.set(name, list.nodes);
    this.#variables = outer;
    this.#loops = loops;
  }

  #templateName(context: string): string {
    const token = this.#next();
    if (token.kind !== "string" && token.kind !== "rawString") throw this.#unexpected(token, context);
    return String(this.#literal(token));
  }

  /** `$a, $b := command | command`, with what ends it. */
  #pipeline(context: string, end: TokenKind): Pipeline {
    const { position } = this.#peek();
    const { variables, assigns } = this.#declaration(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === end) {
        this.#next();
        this.#checkPipeline(commands, context);
        return { position, variables, assigns, commands };
      }
      commands.push(this.#command(context));
      if (this.#peek().kind === "pipe") {
        this.#next();
      }
    }
  }

  #declaration(context: string): { readonly variables: readonly string[]; readonly assigns: boolean } {
    const none = { variables: [], assigns: false };
    const [first, second, third, fourth] = [0, 1, 2, 3].map((ahead) => this.#peek(ahead));
    if (first?.kind !== "variable") return none;
    this.#checkDeclarations(context);
    if (second?.kind === "declare" || second?.kind === "assign") {
      this.#at += 2;
      return this.#declare([first], second);
    }
    if (context !== "range" || second?.kind !== "comma" || third?.kind !== "variable" || !fourth) return none;
    if (fourth.kind !== "declare" && fourth.kind !== "assign") return none;
    this.#at += 4;
    return this.#declare([first, third], fourth);
  }

  /** `$a, $b :=` is for `range`, and two are the most. */
  #checkDeclarations(context: string): void {
    let count = 1;
    while (this.#peek(2 * count - 1).kind === "comma" && this.#peek(2 * count).kind === "variable") count++;
    if (count > (context === "range" ? 2 : 1)) throw this.#error(`too many declarations in ${context}`);
  }

  #declare(
    tokens: readonly Token[],
    operator: Token,
  ): { readonly variables: readonly string[]; readonly assigns: boolean } {
    const assigns = operator.kind === "assign";
    for (const token of tokens) {
      if (assigns) this.#checkVariable(token);
      else this.#variables.push(token.text);
    }
    return { variables: tokens.map((token) => token.text), assigns };
  }

  #checkPipeline(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) throw this.#error(`missing value for ${context}`);
    for (const command of commands.slice(1)) {
      const first = command.words[0];
      if (first && ["literal", "dot", "nil"].includes(first.kind)) {
        throw this.#error(`non executable command in pipeline stage ${commands.indexOf(command) + 1}`);
      }
    }
  }

  #command(context: string): CommandNode {
    const { position } = this.#peek();
    const words: Expression[] = [];
    for (;;) {
      const operand = this.#operand(context);
      if (operand) words.push(operand);
      const { kind } = this.#peek();
      if (kind === "pipe" || kind === "close" || kind === "rightParen") break;
      if (!operand) throw this.#unexpected(this.#peek(), context);
      if (!this.#peek().spaceBefore && isStray(kind)) throw this.#unexpected(this.#peek(), "operand");
    }
    if (words.length === 0) {
      const next = this.#peek();
      throw next.kind === "pipe" ? this.#unexpected(next, context) : this.#error("empty command");
    }
    return { position, words };
  }

  /** A term with the fields that follow it without a space. */
  #operand(context: string): Expression | undefined {
    const term = this.#term(context);
    if (!term) return undefined;
    const first = this.#peek();
    const names: string[] = [];
    while (this.#peek().kind === "field" && !this.#peek().spaceBefore) names.push(this.#next().text.slice(1));
    if (names.length === 0) return term;
    const { position } = first;
    if (term.kind === "field") return { kind: "field", position, names: [...term.names, ...names] };
    if (term.kind === "variable") return { ...term, position, names: [...term.names, ...names] };
    if (term.kind === "literal" || term.kind === "nil" || term.kind === "dot") {
      throw this.#error(`unexpected . after term "${expressionText(term)}"`, first);
    }
    return { kind: "chain", position, of: term, names };
  }

  #term(context: string): Expression | undefined {
    const token = this.#peek();
    const { position, text } = token;
    switch (token.kind) {
      case "identifier":
        if (!this.#functions.has(text)) throw this.#error(`function "${text}" not defined`, token);
        this.#next();
        return { kind: "function", position, name: text };
      case "dot":
      case "nil":
        this.#next();
        return { kind: token.kind, position };
      case "variable":
        this.#checkVariable(token);
        this.#next();
        return { kind: "variable", position, name: text, names: [] };
      case "field":
        this.#next();
        return { kind: "field", position, names: [text.slice(1)] };
      case "bool":
      case "number":
      case "string":
      case "rawString":
      case "char":
        this.#next();
        return { kind: "literal", position, text, value: this.#literal(token) };
      case "leftParen":
        this.#next();
        return { kind: "pipeline", position, pipeline: this.#pipeline("parenthesized pipeline", "rightParen") };
      case "pipe":
      case "close":
      case "rightParen":
        return undefined;
      default:
        throw this.#unexpected(token, context);
    }
  }

  #literal(token: Token): string | number | boolean {
    try {
      return parseLiteral(token);
    } catch (error) {
      throw this.#error(errorMessage(error), token);
    }
  }

  #checkVariable(token: Token): void {
    if (!this.#variables.includes(token.text)) throw this.#error(`undefined variable "${token.text}"`, token);
  }

  #peek(ahead: number = 0): Token {
    const token = this.#tokens[this.#at + ahead] ?? this.#tokens.at(-1);
    if (!token) throw this.#error("unexpected EOF");
    return token;
  }

  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #expect(kind: TokenKind, context: string): void {
    const token = this.#next();
    if (token.kind !== kind) throw this.#unexpected(token, context);
  }

  #unexpected(token: Token, context: string): TemplateError {
    const text =
      token.kind === "keyword" || token.kind === "dot"
        ? `<${token.text}>`
        : token.kind === "end"
          ? "EOF"
          : `"${token.text}"`;
    return this.#error(token.kind === "end" ? "unexpected EOF" : `unexpected ${text} in ${context}`, token);
  }

  #error(problem: string, token: Token = this.#peek()): TemplateError {
    return lexError(this.#source, token.position, problem);
  }
}

/** What cannot stand behind an operand without a space. */
function isStray(kind: TokenKind): boolean {
  return kind === "dot" || kind === "comma" || kind === "assign" || kind === "declare";
}

/** Whether a tree makes no text: such a definition gives way to another. */
function isEmptyTree(nodes: readonly Node[]): boolean {
  return nodes.every((node) => node.kind === "text" && node.text.trim() === "");
}
