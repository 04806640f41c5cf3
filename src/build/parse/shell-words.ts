import { InvalidParameterError } from "#errors/errors.ts";
import { removePrefix, removeSuffix, replacePattern } from "./shell-pattern.ts";
import type { EscapeCharacter } from "./source.ts";

/** Where the values of variables come from: a Map will do. */
export interface Variables {
  get(name: string): string | undefined;
}

export interface ShellWordOptions {
  readonly escape: EscapeCharacter;
  /** Keep quote characters in the result. */
  readonly rawQuotes?: boolean;
  /** Keep escape characters in the result. */
  readonly rawEscapes?: boolean;
  /** Treat quotes as ordinary characters. */
  readonly plainQuotes?: boolean;
  /** Leave references to unset variables as they stand. */
  readonly keepUnset?: boolean;
}

/**
 * `word` with its variables expanded, quotes and escapes removed, by the rules that Docker's builder has: a subset of the POSIX
 * shell's with a few of bash's forms. Throws InvalidParameterError on a syntax error or a failed `${v:?message}`.
 * https://docs.docker.com/reference/dockerfile/#environment-replacement
 */
export function processWord(word: string, variables: Variables, options: ShellWordOptions): string {
  return new ShellWordScanner(word, variables, options).run().word;
}

/** As {@link processWord}, split at unquoted blanks, after the expansion. */
export function processWords(text: string, variables: Variables, options: ShellWordOptions): readonly string[] {
  return new ShellWordScanner(text, variables, options).run().words;
}

const BLANK = /\s/;
const NAME_CHARACTER = /[\p{L}\p{Nd}_]/u;
const DIGIT = /\p{Nd}/u;
/** `$?` and its like: taken as names, and never set. https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_05_02 */
const SPECIAL_PARAMETERS = "@*#?-$!0";

/** Words as they grow: blanks end them unless quoted or escaped. */
class WordList {
  readonly words: string[] = [];
  #word = "";

  add(text: string): void {
    for (const character of text) {
      if (BLANK.test(character)) this.end();
      else this.#word += character;
    }
  }

  addQuoted(text: string): void {
    this.#word += text;
  }

  end(): void {
    if (this.#word !== "") this.words.push(this.#word);
    this.#word = "";
  }
}

interface Scanned {
  readonly word: string;
  readonly words: readonly string[];
}

class ShellWordScanner {
  readonly #source: string;
  readonly #characters: readonly string[];
  readonly #variables: Variables;
  readonly #options: ShellWordOptions;
  #position = 0;

  constructor(source: string, variables: Variables, options: ShellWordOptions) {
    this.#source = source;
    this.#characters = Array.from(source);
    this.#variables = variables;
    this.#options = options;
  }

  run(): Scanned {
    try {
      return this.#scanUntil(undefined, this.#options.rawEscapes ?? false);
    } catch (error) {
      if (!(error instanceof InvalidParameterError)) throw error;
      throw new InvalidParameterError(`failed to process ${JSON.stringify(this.#source)}: ${error.message}`, {
        cause: error,
      });
    }
  }

  #peek(): string | undefined {
    return this.#characters[this.#position];
  }

  #next(): string | undefined {
    return this.#characters[this.#position++];
  }

  /** Scans to `stop` (consumed) or, when it is undefined, to the end. */
  #scanUntil(stop: string | undefined, rawEscapes: boolean): Scanned {
    let word = "";
    const list = new WordList();
    for (let character = this.#peek(); character !== undefined; character = this.#peek()) {
      if (character === stop) {
        this.#position++;
        list.end();
        return { word, words: list.words };
      }
      if (character === "$") {
        const value = this.#scanDollar();
        word += value;
        list.add(value);
      } else if ((character === "'" || character === '"') && !this.#options.plainQuotes) {
        const value = character === "'" ? this.#scanSingleQuotes() : this.#scanDoubleQuotes(rawEscapes);
        word += value;
        list.addQuoted(value);
      } else if (character === this.#options.escape) {
        const value = this.#scanEscape(rawEscapes);
        word += value;
        list.addQuoted(value);
      } else {
        this.#position++;
        word += character;
        list.add(character);
      }
    }
    if (stop !== undefined) {
      throw new InvalidParameterError(`unexpected end of statement while looking for matching ${stop}`);
    }
    list.end();
    return { word, words: list.words };
  }

  /** The escape character makes the next one ordinary; at the end of the text it means nothing. */
  #scanEscape(rawEscapes: boolean): string {
    const escaper = this.#next() ?? "";
    return (rawEscapes ? escaper : "") + (this.#next() ?? "");
  }

  #scanSingleQuotes(): string {
    const start = ++this.#position;
    const end = this.#characters.indexOf("'", start);
    if (end < 0) {
      this.#position = this.#characters.length;
      throw new InvalidParameterError("unexpected end of statement while looking for matching single-quote");
    }
    this.#position = end + 1;
    const text = this.#characters.slice(start, end).join("");
    return this.#options.rawQuotes ? `'${text}'` : text;
  }

  #scanDoubleQuotes(rawEscapes: boolean): string {
    this.#position++;
    let text = "";
    for (let character = this.#peek(); character !== undefined; character = this.#peek()) {
      if (character === '"') {
        this.#position++;
        return this.#options.rawQuotes ? `"${text}"` : text;
      }
      if (character === "$") {
        text += this.#scanDollar();
        continue;
      }
      this.#position++;
      text += character === this.#options.escape ? this.#escapedInDoubleQuotes(character, rawEscapes) : character;
    }
    throw new InvalidParameterError("unexpected end of statement while looking for matching double-quote");
  }

  /** Inside double quotes only `"`, `$` and the escape character itself can be escaped; before others it stands for itself. */
  #escapedInDoubleQuotes(escaper: string, rawEscapes: boolean): string {
    const following = this.#peek();
    const kept = rawEscapes ? escaper : "";
    if (following === undefined) return kept;
    if (following !== '"' && following !== "$" && following !== escaper) return kept + escaper;
    this.#position++;
    return kept + following;
  }

  #scanDollar(): string {
    this.#position++;
    if (this.#peek() !== "{") {
      const name = this.#scanName();
      if (name === "") return "$";
      return this.#variables.get(name) ?? (this.#options.keepUnset ? `$${name}` : "");
    }
    this.#position++;
    const first = this.#peek();
    if (first === undefined) throw new InvalidParameterError("syntax error: missing '}'");
    if (first === "{" || first === "}" || first === ":")
      throw new InvalidParameterError("syntax error: bad substitution");
    return this.#scanSubstitution(this.#scanName());
  }

  /** What follows the name in `${name…}`. */
  #scanSubstitution(name: string): string {
    const value = this.#variables.get(name);
    let operator = this.#next() ?? "";
    if (operator === "}") return value ?? (this.#options.keepUnset ? `\${${name}}` : "");
    if (operator === "/") return this.#scanReplacement(name, value);
    const emptyIsUnset = operator === ":";
    if (emptyIsUnset) operator = this.#next() ?? "";
    const text = emptyIsUnset ? `:${operator}` : operator;
    if (operator === "" || !"+-?#%".includes(operator)) {
      throw new InvalidParameterError(`unsupported modifier (${text}) in substitution`);
    }
    const isPattern = operator === "#" || operator === "%";
    const word = this.#scanPart("}", isPattern);
    if (value === undefined && this.#options.keepUnset) return `\${${name}${text}${word}}`;
    if (isPattern) return trimmed(operator, value ?? "", word);
    return chosen(name, operator, value, word, emptyIsUnset);
  }

  /** `${name/pattern/text}`, `${name//pattern/text}`. */
  #scanReplacement(name: string, value: string | undefined): string {
    const all = this.#peek() === "/";
    if (all) this.#position++;
    const pattern = this.#scanPart("/", true);
    const replacement = this.#scanPart("}", true);
    if (value === undefined && this.#options.keepUnset) return `\${${name}/${pattern}/${replacement}}`;
    return replacePattern(value ?? "", pattern, replacement, all);
  }

  #scanPart(stop: "}" | "/", rawEscapes: boolean): string {
    try {
      return this.#scanUntil(stop, rawEscapes).word;
    } catch (error) {
      if (this.#peek() !== undefined) throw error;
      throw new InvalidParameterError(`syntax error: missing '${stop}'${stop === "/" ? " in ${}" : ""}`, {
        cause: error,
      });
    }
  }

  #scanName(): string {
    const first = this.#peek();
    if (first === undefined) return "";
    if (SPECIAL_PARAMETERS.includes(first)) {
      this.#position++;
      return first;
    }
    const pattern = DIGIT.test(first) ? DIGIT : NAME_CHARACTER;
    const start = this.#position;
    while (pattern.test(this.#peek() ?? "")) this.#position++;
    return this.#characters.slice(start, this.#position).join("");
  }
}

function chosen(
  name: string,
  operator: string,
  value: string | undefined,
  word: string,
  emptyIsUnset: boolean,
): string {
  const isSet = value !== undefined && !(emptyIsUnset && value === "");
  if (operator === "+") return isSet ? word : "";
  if (isSet) return value;
  if (operator === "-") return word;
  const state = value === undefined ? "unset" : "empty";
  throw new InvalidParameterError(`${name}: ${word === "" ? `is not allowed to be ${state}` : word}`);
}

/** `#` and `%` cut the shortest match of the pattern, `##` and `%%` the longest. */
function trimmed(operator: string, value: string, word: string): string {
  const greedy = word.startsWith(operator);
  const pattern = greedy ? word.slice(1) : word;
  return operator === "#" ? removePrefix(value, pattern, greedy) : removeSuffix(value, pattern, greedy);
}
