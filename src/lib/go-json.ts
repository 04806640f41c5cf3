/**
 * What Go's encoding/json says of a text that is no JSON: clients' tests and people know its sentences, and it says where.
 * https://github.com/golang/go/blob/master/src/encoding/json/scanner.go
 */

class SyntaxProblem extends Error {}

/** The complaint about the first fault of `text`; undefined when it begins with a JSON value and holds nothing else. */
export function jsonProblem(text: string): string | undefined {
  const scanner = new Scanner(text);
  try {
    scanner.value();
    return scanner.atEnd() ? undefined : "unexpected content after JSON";
  } catch (error) {
    if (error instanceof SyntaxProblem) return error.message;
    throw error;
  }
}

/** Where the JSON value ends that `text` begins with, when something follows it; undefined when nothing does, or it begins with none. */
export function trailingOffset(text: string): number | undefined {
  const scanner = new Scanner(text);
  try {
    scanner.value();
    return scanner.atEnd() ? undefined : scanner.offset;
  } catch (error) {
    if (error instanceof SyntaxProblem) return undefined;
    throw error;
  }
}

const ESCAPES = '"\\/bfnrtu';
/** Deeper than any document, and far from the end of the stack. */
const DEEPEST = 1000;

class Scanner {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get offset(): number {
    return this.#at;
  }

  atEnd(): boolean {
    this.#blanks();
    return this.#at >= this.#text.length;
  }

  value(): void {
    this.#blanks();
    const sign = this.#peek();
    if (sign === "{") this.#nested(() => this.#object());
    else if (sign === "[") this.#nested(() => this.#array());
    else if (sign === '"') this.#string();
    else if (sign === "-" || isDigit(sign)) this.#number();
    else if (sign === "t") this.#literal("true");
    else if (sign === "f") this.#literal("false");
    else if (sign === "n") this.#literal("null");
    else throw this.#bad("looking for beginning of value");
  }

  #nested(read: () => void): void {
    if (++this.#depth > DEEPEST) throw new SyntaxProblem("exceeded max depth");
    this.#at++;
    this.#blanks();
    read();
    this.#at++;
    this.#depth--;
  }

  #object(): void {
    if (this.#peek() === "}") return;
    for (;;) {
      this.#blanks();
      if (this.#peek() !== '"') throw this.#bad("looking for beginning of object key string");
      this.#string();
      this.#blanks();
      if (this.#peek() !== ":") throw this.#bad("after object key");
      this.#at++;
      this.value();
      this.#blanks();
      if (this.#peek() === "}") return;
      if (this.#peek() !== ",") throw this.#bad("after object key:value pair");
      this.#at++;
    }
  }

  #array(): void {
    if (this.#peek() === "]") return;
    for (;;) {
      this.value();
      this.#blanks();
      if (this.#peek() === "]") return;
      if (this.#peek() !== ",") throw this.#bad("after array element");
      this.#at++;
    }
  }

  #string(): void {
    this.#at++;
    for (; this.#peek() !== '"'; this.#at++) {
      if ((this.#peek() ?? "") < " ") throw this.#bad("in string literal");
      if (this.#peek() !== "\\") continue;
      this.#at++;
      if (!ESCAPES.includes(this.#peek() ?? " ")) throw this.#bad("in string escape code");
      if (this.#peek() === "u") this.#hexDigits();
    }
    this.#at++;
  }

  #hexDigits(): void {
    for (let digit = 0; digit < 4; digit++) {
      this.#at++;
      if (!/^[0-9a-fA-F]$/.test(this.#peek() ?? "")) throw this.#bad("in \\u hexadecimal character escape");
    }
  }

  #number(): void {
    if (this.#peek() === "-") this.#at++;
    if (this.#peek() === "0") this.#at++;
    else this.#digits("in numeric literal");
    if (this.#peek() === ".") {
      this.#at++;
      this.#digits("after decimal point in numeric literal");
    }
    if (this.#peek()?.toLowerCase() !== "e") return;
    this.#at++;
    if (this.#peek() === "+" || this.#peek() === "-") this.#at++;
    this.#digits("in exponent of numeric literal");
  }

  #digits(where: string): void {
    if (!isDigit(this.#peek())) throw this.#bad(where);
    while (isDigit(this.#peek())) this.#at++;
  }

  #literal(word: string): void {
    for (const letter of word) {
      if (this.#peek() !== letter) throw this.#bad(`in literal ${word} (expecting '${letter}')`);
      this.#at++;
    }
  }

  #blanks(): void {
    while (" \t\r\n".includes(this.#peek() ?? "x")) this.#at++;
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #bad(where: string): SyntaxProblem {
    const sign = this.#peek();
    if (sign === undefined) return new SyntaxProblem("unexpected EOF");
    const shown = sign === "'" ? "'\\''" : sign === '"' ? "'\"'" : `'${JSON.stringify(sign).slice(1, -1)}'`;
    return new SyntaxProblem(`invalid character ${shown} ${where}`);
  }
}

function isDigit(sign: string | undefined): boolean {
  return sign !== undefined && sign >= "0" && sign <= "9";
}
