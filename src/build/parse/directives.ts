import { InvalidParameterError } from "#errors/errors.ts";
import { type CheckDirective, parseCheckDirective } from "./check-directive.ts";
import type { EscapeCharacter } from "./source.ts";

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const KNOWN = new Set(["syntax", "escape", "check"]);

/**
 * The parser directives `# escape=`, `# syntax=` and `# check=`. They come before anything else, each once; the first line that is
 * none ends them, be it a comment. https://docs.docker.com/reference/dockerfile/#parser-directives
 */
export class Directives {
  readonly #values = new Map<string, string>();
  #done = false;
  #isFirst = true;
  #isScript = false;

  get escape(): EscapeCharacter {
    return this.#values.get("escape") === "`" ? "`" : "\\";
  }

  /** The frontend image that BuildKit would fetch; Berth's own parser reads every Dockerfile. */
  get syntax(): string {
    return this.#values.get("syntax") ?? "";
  }

  /** Throws InvalidParameterError for an option that is none. */
  get check(): CheckDirective {
    return parseCheckDirective(this.#values.get("check") ?? "");
  }

  /** Looks at a line without its leading blanks. Throws InvalidParameterError when a directive is given twice or is invalid. */
  read(line: string): void {
    if (this.#done) return;
    // So that a Dockerfile can be made executable: https://github.com/moby/buildkit/blob/master/frontend/dockerfile/parser/directives.go
    if (this.#isFirst && line.startsWith("#!")) {
      this.#isFirst = false;
      this.#isScript = true;
      return;
    }
    this.#isFirst = false;
    const match = DIRECTIVE.exec(line);
    const key = match?.[1]?.toLowerCase() ?? "";
    const value = match?.[2] ?? "";
    if (!KNOWN.has(key)) {
      this.#done = true;
      return;
    }
    if (this.#values.has(key)) throw new InvalidParameterError(`only one ${key} parser directive can be used`);
    if (key === "escape" && value !== "\\" && value !== "`") {
      throw new InvalidParameterError(`invalid escape token '${value}' does not match \` or \\`);
    }
    // To BuildKit's parser `#!` is a comment, which ends the directives; only those who look for the other two pass over it.
    if (key !== "escape" || !this.#isScript) this.#values.set(key, value);
  }
}
