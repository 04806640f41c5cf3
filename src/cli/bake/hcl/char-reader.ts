import { InvalidParameterError } from "#errors/errors.ts";

/** A text and a place in it. */
export class CharReader {
  readonly text: string;
  readonly #name: string;
  at = 0;

  constructor(text: string, name: string) {
    this.text = text;
    this.#name = name;
  }

  get line(): number {
    return this.lineAt(this.at);
  }

  lineAt(at: number): number {
    let line = 1;
    for (let next = this.text.indexOf("\n"); next >= 0 && next < at; next = this.text.indexOf("\n", next + 1)) line++;
    return line;
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  peek(word: string): boolean {
    return this.text.startsWith(word, this.at);
  }

  /** Takes what `pattern`, a sticky one, matches here. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) return undefined;
    this.at += found[0].length;
    return found;
  }

  take(word: string): boolean {
    if (!this.peek(word)) return false;
    this.at += word.length;
    return true;
  }

  expect(word: string): void {
    if (!this.take(word)) throw this.error(`expected ${JSON.stringify(word)}, found ${this.shown()}`);
  }

  shown(): string {
    if (this.isAtEnd) return "the end of the file";
    return JSON.stringify(this.text.slice(this.at, this.at + 20).split("\n")[0] || "a new line");
  }

  /** Blanks and comments; new lines too where they mean nothing. */
  skip(withLines: boolean): void {
    const blank = withLines ? /(?:\s|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y : /(?:[^\S\n]|\/\*[\s\S]*?\*\/)+/y;
    this.match(blank);
    // A comment goes to the end of its line, which still counts.
    if (!withLines) this.match(/(?:#|\/\/)[^\n]*/y);
  }

  error(message: string): InvalidParameterError {
    return new InvalidParameterError(`${this.#name}:${this.line}: ${message}`);
  }
}
