import { lex, lexError, type Token, type TokenKind } from "./lexer.ts";
import type { TemplateError } from "./template-error.ts";

/** The tokens of a template, one after another. */
export class TokenCursor {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  /** Throws TemplateError for what is no token. */
  constructor(source: string) {
    this.#source = source;
    this.#tokens = lex(source);
  }

  peek(ahead: number = 0): Token {
    const token = this.#tokens[this.#at + ahead] ?? this.#tokens.at(-1);
    if (!token) throw this.error("unexpected EOF");
    return token;
  }

  /** Leaves tokens that have been looked at behind. */
  skip(count: number): void {
    this.#at += count;
  }

  next(): Token {
    const token = this.peek();
    this.#at++;
    return token;
  }

  expect(kind: TokenKind, context: string): void {
    const token = this.next();
    if (token.kind !== kind) throw this.unexpected(token, context);
  }

  unexpected(token: Token, context: string): TemplateError {
    const text =
      token.kind === "keyword" || token.kind === "dot"
        ? `<${token.text}>`
        : token.kind === "end"
          ? "EOF"
          : `"${token.text}"`;
    return this.error(token.kind === "end" ? "unexpected EOF" : `unexpected ${text} in ${context}`, token);
  }

  error(problem: string, token: Token = this.peek()): TemplateError {
    return lexError(this.#source, token.position, problem);
  }
}
