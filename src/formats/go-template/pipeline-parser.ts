/** Pipelines and what they are made of, from tokens to the tree. */
import { errorMessage } from "#errors/errors.ts";
import type { Token, TokenKind } from "./lexer.ts";
import { parseLiteral } from "./literal.ts";
import { type CommandNode, type Expression, expressionText, type Pipeline } from "./nodes.ts";
import type { TokenCursor } from "./token-cursor.ts";

export class PipelineParser {
  /** Those that are declared where the cursor stands. */
  variables: string[] = ["$"];
  readonly #cursor: TokenCursor;
  readonly #functions: ReadonlySet<string>;

  /** `functions` are the names that it may call. */
  constructor(cursor: TokenCursor, functions: ReadonlySet<string>) {
    this.#cursor = cursor;
    this.#functions = functions;
  }

  /** `$a, $b := command | command`, with what ends it. */
  pipeline(context: string, end: TokenKind): Pipeline {
    const { position } = this.#cursor.peek();
    const { variables, assigns } = this.#declaration(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#cursor.peek();
      if (token.kind === end) {
        this.#cursor.next();
        this.#checkPipeline(commands, context);
        return { position, variables, assigns, commands };
      }
      commands.push(this.#command(context));
      if (this.#cursor.peek().kind === "pipe") {
        this.#cursor.next();
      }
    }
  }

  #declaration(context: string): { readonly variables: readonly string[]; readonly assigns: boolean } {
    const none = { variables: [], assigns: false };
    const [first, second, third, fourth] = [0, 1, 2, 3].map((ahead) => this.#cursor.peek(ahead));
    if (first?.kind !== "variable") return none;
    this.#checkDeclarations(context);
    if (second?.kind === "declare" || second?.kind === "assign") {
      this.#cursor.skip(2);
      return this.#declare([first], second);
    }
    if (context !== "range" || second?.kind !== "comma" || third?.kind !== "variable" || !fourth) return none;
    if (fourth.kind !== "declare" && fourth.kind !== "assign") return none;
    this.#cursor.skip(4);
    return this.#declare([first, third], fourth);
  }

  /** `$a, $b :=` is for `range`, and two are the most. */
  #checkDeclarations(context: string): void {
    let count = 1;
    while (this.#cursor.peek(2 * count - 1).kind === "comma" && this.#cursor.peek(2 * count).kind === "variable")
      count++;
    if (count > (context === "range" ? 2 : 1)) throw this.#cursor.error(`too many declarations in ${context}`);
  }

  #declare(
    tokens: readonly Token[],
    operator: Token,
  ): { readonly variables: readonly string[]; readonly assigns: boolean } {
    const assigns = operator.kind === "assign";
    for (const token of tokens) {
      if (assigns) this.#checkVariable(token);
      else this.variables.push(token.text);
    }
    return { variables: tokens.map((token) => token.text), assigns };
  }

  #checkPipeline(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) throw this.#cursor.error(`missing value for ${context}`);
    for (const command of commands.slice(1)) {
      const first = command.words[0];
      if (first && ["literal", "dot", "nil"].includes(first.kind)) {
        throw this.#cursor.error(`non executable command in pipeline stage ${commands.indexOf(command) + 1}`);
      }
    }
  }

  #command(context: string): CommandNode {
    const { position } = this.#cursor.peek();
    const words: Expression[] = [];
    for (;;) {
      const operand = this.#operand(context);
      if (operand) words.push(operand);
      const { kind } = this.#cursor.peek();
      if (kind === "pipe" || kind === "close" || kind === "rightParen") break;
      if (!operand) throw this.#cursor.unexpected(this.#cursor.peek(), context);
      if (!this.#cursor.peek().spaceBefore && isStray(kind))
        throw this.#cursor.unexpected(this.#cursor.peek(), "operand");
    }
    if (words.length === 0) {
      const next = this.#cursor.peek();
      throw next.kind === "pipe" ? this.#cursor.unexpected(next, context) : this.#cursor.error("empty command");
    }
    return { position, words };
  }

  /** A term with the fields that follow it without a space. */
  #operand(context: string): Expression | undefined {
    const term = this.#term(context);
    if (!term) return undefined;
    const first = this.#cursor.peek();
    const names: string[] = [];
    while (this.#cursor.peek().kind === "field" && !this.#cursor.peek().spaceBefore)
      names.push(this.#cursor.next().text.slice(1));
    if (names.length === 0) return term;
    const { position } = first;
    if (term.kind === "field") return { kind: "field", position, names: [...term.names, ...names] };
    if (term.kind === "variable") return { ...term, position, names: [...term.names, ...names] };
    if (term.kind === "literal" || term.kind === "nil" || term.kind === "dot") {
      throw this.#cursor.error(`unexpected . after term "${expressionText(term)}"`, first);
    }
    return { kind: "chain", position, of: term, names };
  }

  #term(context: string): Expression | undefined {
    const token = this.#cursor.peek();
    const { position, text } = token;
    switch (token.kind) {
      case "identifier":
        if (!this.#functions.has(text)) throw this.#cursor.error(`function "${text}" not defined`, token);
        this.#cursor.next();
        return { kind: "function", position, name: text };
      case "dot":
      case "nil":
        this.#cursor.next();
        return { kind: token.kind, position };
      case "variable":
        this.#checkVariable(token);
        this.#cursor.next();
        return { kind: "variable", position, name: text, names: [] };
      case "field":
        this.#cursor.next();
        return { kind: "field", position, names: [text.slice(1)] };
      case "bool":
      case "number":
      case "string":
      case "rawString":
      case "char":
        this.#cursor.next();
        return { kind: "literal", position, text, value: this.literal(token) };
      case "leftParen":
        this.#cursor.next();
        return { kind: "pipeline", position, pipeline: this.pipeline("parenthesized pipeline", "rightParen") };
      case "pipe":
      case "close":
      case "rightParen":
        return undefined;
      default:
        throw this.#cursor.unexpected(token, context);
    }
  }

  /** The value of a literal. Throws TemplateError. */
  literal(token: Token): string | number | boolean {
    try {
      return parseLiteral(token);
    } catch (error) {
      throw this.#cursor.error(errorMessage(error), token);
    }
  }

  #checkVariable(token: Token): void {
    if (!this.variables.includes(token.text)) throw this.#cursor.error(`undefined variable "${token.text}"`, token);
  }
}

/** What cannot stand behind an operand without a space. */
function isStray(kind: TokenKind): boolean {
  return kind === "dot" || kind === "comma" || kind === "assign" || kind === "declare";
}
