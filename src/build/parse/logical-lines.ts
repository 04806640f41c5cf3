import { jsonStrings } from "./arguments.ts";
import type { CheckDirective } from "./check-directive.ts";
import { Directives } from "./directives.ts";
import { atSource, DockerfileError } from "./dockerfile-error.ts";
import { endsHeredoc, type Heredoc, type HeredocStart, heredocsOfLine, withBody } from "./heredoc.ts";
import type { EscapeCharacter, SourceRange } from "./source.ts";
import { splitInstruction } from "./split-instruction.ts";

/** One instruction as it stands: continuation lines joined, comments inside dropped, heredoc bodies apart. */
export interface LogicalLine {
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
  readonly source: SourceRange;
}

export interface LogicalLines {
  readonly lines: readonly LogicalLine[];
  readonly escape: EscapeCharacter;
  readonly syntax: string;
  readonly check: CheckDirective;
  readonly warnings: readonly { readonly message: string; readonly source: SourceRange }[];
}

/** Go's scanner, and so every Docker builder, refuses longer lines. Bytes. */
const MAX_LINE_BYTES = 65535;

/**
 * Joins physical lines (with their line ends) into logical ones. Throws DockerfileError: a bad directive, an overlong line, an
 * unterminated heredoc, no instruction at all. The rules: https://docs.docker.com/reference/dockerfile/#format
 */
export function joinLines(physical: readonly string[]): LogicalLines {
  return new LineJoiner(physical).run();
}

class LineJoiner {
  readonly #physical: readonly string[];
  readonly #directives = new Directives();
  readonly #lines: LogicalLine[] = [];
  readonly #warnings: { message: string; source: SourceRange }[] = [];
  /** Lines read so far, which is the 1-based number of the last one. */
  #read = 0;

  constructor(physical: readonly string[]) {
    this.#physical = physical;
  }

  run(): LogicalLines {
    for (let line = this.#next(); line !== undefined; line = this.#next()) this.#readInstruction(line);
    if (this.#lines.length === 0) {
      throw new DockerfileError("file with no instructions", { startLine: this.#read, endLine: this.#read });
    }
    return {
      lines: this.#lines,
      escape: this.#directives.escape,
      syntax: this.#directives.syntax,
      check: atSource({ startLine: 1, endLine: 1 }, () => this.#directives.check),
      warnings: this.#warnings,
    };
  }

  #next(): string | undefined {
    const line = this.#physical[this.#read];
    if (line === undefined) return undefined;
    this.#read++;
    if (line.length > MAX_LINE_BYTES / 3 && Buffer.byteLength(withoutLineEnd(line)) > MAX_LINE_BYTES) {
      const source = { startLine: this.#read, endLine: this.#read };
      throw new DockerfileError(`dockerfile line greater than max allowed size of ${MAX_LINE_BYTES}`, source);
    }
    return line;
  }

  #readInstruction(firstLine: string): void {
    const startLine = this.#read;
    const start = withoutLineEnd(firstLine).trimStart();
    atSource({ startLine, endLine: startLine }, () => this.#directives.read(start));
    let part = this.#splitContinuation(isComment(start) ? "" : start);
    if (!part.continues && part.text === "") return;
    let text = part.text;
    let hasEmptyLine = false;
    while (part.continues) {
      const line = this.#next();
      if (line === undefined) break;
      if (isComment(line)) continue;
      if (line.trim() === "") {
        hasEmptyLine = true;
        continue;
      }
      part = this.#splitContinuation(withoutLineEnd(line));
      text += part.text;
    }
    const heredocs = this.#readHeredocs(text, startLine);
    const source = { startLine, endLine: this.#read };
    if (hasEmptyLine) this.#warnings.push({ message: `Empty continuation line found in: ${text}`, source });
    this.#lines.push({ text: text.trim(), heredocs, source });
  }

  /**
   * The escape character at the end of a line, blanks after it aside, joins the next line, unless another one stands before it.
   * BuildKit does not count further than that: three in a row do not continue a line either.
   */
  #splitContinuation(line: string): { readonly text: string; readonly continues: boolean } {
    const body = line.replace(/[ \t]*$/, "");
    const escaper = this.#directives.escape;
    if (!body.endsWith(escaper) || body.at(-2) === escaper) return { text: line, continues: false };
    return { text: body.slice(0, -1), continues: true };
  }

  #readHeredocs(text: string, startLine: number): readonly Heredoc[] {
    if (!mayHaveHeredocs(text)) return [];
    const range = { startLine, endLine: this.#read };
    return atSource(range, () => heredocsOfLine(text)).map((start) => this.#readBody(start, startLine));
  }

  #readBody(heredoc: HeredocStart, startLine: number): Heredoc {
    let body = "";
    for (let line = this.#next(); line !== undefined; line = this.#next()) {
      if (endsHeredoc(heredoc, withoutLineEnd(line))) return withBody(heredoc, body);
      body += line;
    }
    throw new DockerfileError("unterminated heredoc", { startLine, endLine: this.#read });
  }
}

/** Only RUN, COPY and ADD, also behind ONBUILD, and not in their JSON form. */
function mayHaveHeredocs(text: string): boolean {
  if (!text.includes("<<")) return false;
  const { verb, rest } = splitInstruction(text);
  if (/^onbuild$/i.test(verb)) return mayHaveHeredocs(rest);
  return /^(run|copy|add)$/i.test(verb) && jsonStrings(rest) === undefined;
}

function isComment(line: string): boolean {
  return line.trimStart().startsWith("#");
}

function withoutLineEnd(line: string): string {
  return line.replace(/[\r\n]+$/, "");
}
