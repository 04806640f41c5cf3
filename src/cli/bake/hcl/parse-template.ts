import type { CharReader } from "./char-reader.ts";
import type { HclExpression } from "./syntax.ts";

type Parse = (reader: CharReader) => HclExpression;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };

/** What follows an opening quote, and the closing one. `parse` reads the expression of a `${}`. */
export function parseQuoted(reader: CharReader, parse: Parse): HclExpression {
  const template = new TemplateParts(reader, parse);
  while (!reader.take('"')) {
    if (reader.isAtEnd || reader.peek("\n")) throw reader.error("a text without its closing quote");
    if (template.takeInterpolation()) continue;
    if (reader.take("\\")) template.add(escaped(reader));
    else template.add(reader.match(/[^"\\\n$%]+|[$%]/y)?.[0] ?? "");
  }
  return template.expression();
}

function escaped(reader: CharReader): string {
  const code = reader.match(/u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})/y);
  if (code) return String.fromCodePoint(Number.parseInt(code[1] ?? code[2] ?? "0", 16));
  const letter = reader.match(/[nrt"\\]/y)?.[0];
  if (letter === undefined) throw reader.error("an escape that there is not; a backslash is written \\\\");
  return ESCAPES[letter] ?? "";
}

/** `<<EOT` or `<<-EOT` and its lines; undefined for none. */
export function parseHeredoc(reader: CharReader, parse: Parse): HclExpression | undefined {
  const opening = reader.match(/<<(-?)([A-Za-z_][\w-]*)[^\S\n]*\n/y);
  if (!opening) return undefined;
  const [, dash, word = ""] = opening;
  const end = new RegExp(`^[^\\S\\n]*${word}[^\\S\\n]*$`, "m");
  const rest = reader.text.slice(reader.at);
  const found = end.exec(rest);
  if (!found) throw reader.error(`a heredoc without its end, ${word}`);
  const start = reader.at;
  const limit = start + found.index;
  const template = new TemplateParts(reader, parse);
  const indent = dash ? leastIndent(rest.slice(0, found.index)) : 0;
  let isLineStart = true;
  while (reader.at < limit) {
    if (isLineStart) reader.at = Math.min(reader.at + indent, limit);
    isLineStart = false;
    if (template.takeInterpolation()) continue;
    const text = reader.match(/[^\n$%]*\n|[^\n$%]+|[$%]/y)?.[0] ?? "";
    template.add(text);
    isLineStart = text.endsWith("\n");
  }
  reader.at = limit + found[0].length;
  return template.expression();
}

function leastIndent(text: string): number {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return Math.min(...lines.map((line) => /^[^\S\n]*/.exec(line)?.[0].length ?? 0));
}

/** A text that stands alone, as in JSON: all of it is a template. */
export function parseTemplate(reader: CharReader, parse: Parse): HclExpression {
  const template = new TemplateParts(reader, parse);
  while (!reader.isAtEnd) {
    if (!template.takeInterpolation()) template.add(reader.match(/[^$%]+|[$%]/y)?.[0] ?? "");
  }
  return template.expression();
}

class TemplateParts {
  readonly #reader: CharReader;
  readonly #parse: Parse;
  readonly #parts: HclExpression[] = [];
  readonly #line: number;
  #text = "";

  constructor(reader: CharReader, parse: Parse) {
    this.#reader = reader;
    this.#parse = parse;
    this.#line = reader.line;
  }

  add(text: string): void {
    this.#text += text;
  }

  /** `${…}`, and what stands for its beginning. */
  takeInterpolation(): boolean {
    const reader = this.#reader;
    for (const sign of ["$", "%"]) {
      if (reader.take(`${sign}${sign}{`)) {
        this.add(`${sign}{`);
        return true;
      }
    }
    if (reader.peek("%{")) throw reader.error("%{…} in texts is not supported: write a condition, ${a ? b : c}");
    if (!reader.take("${")) return false;
    const isTrimmed = reader.take("~");
    if (isTrimmed) this.#text = this.#text.trimEnd();
    this.#flush();
    reader.skip(true);
    this.#parts.push(this.#parse(reader));
    reader.skip(true);
    const trimsNext = reader.take("~");
    reader.expect("}");
    if (trimsNext) reader.match(/\s+/y);
    return true;
  }

  expression(): HclExpression {
    const line = this.#line;
    if (this.#parts.length === 0) return { kind: "literal", value: this.#text, line };
    this.#flush();
    return { kind: "template", parts: this.#parts, line };
  }

  #flush(): void {
    if (this.#text !== "") this.#parts.push({ kind: "literal", value: this.#text, line: this.#line });
    this.#text = "";
  }
}
