/** An instruction's line, taken apart: `COPY --from=a x y` has verb, flags and rest. */
export interface SplitInstruction {
  /** As written. */
  readonly verb: string;
  /** With their dashes, quotes removed: `--from=a`. */
  readonly flags: readonly string[];
  /** What follows, trimmed. */
  readonly rest: string;
}

/** Flags are the words that begin with `--` right after the verb; a bare `--` ends them and is dropped. */
export function splitInstruction(line: string): SplitInstruction {
  const trimmed = line.trim();
  const verb = /^[^\t\v\f\r ]*/.exec(trimmed)?.[0] ?? "";
  let rest = trimmed.slice(verb.length).trim();
  const flags: string[] = [];
  while (rest.startsWith("--")) {
    const { word, length } = readFlag(rest);
    rest = rest.slice(length).trim();
    if (word === "--") break;
    flags.push(word);
  }
  return { verb, flags, rest };
}

/** The first word of `text` with quotes and backslashes resolved. The escape directive does not matter here: BuildKit looks for `\` only. */
function readFlag(text: string): { readonly word: string; readonly length: number } {
  let word = "";
  let quote = "";
  let position = 0;
  for (; position < text.length; position++) {
    let character = text[position] ?? "";
    if (quote === "" && /\s/.test(character)) break;
    if (character === quote) {
      quote = "";
      continue;
    }
    if (quote === "" && (character === "'" || character === '"')) {
      quote = character;
      continue;
    }
    if (character === "\\") character = text[++position] ?? "";
    word += character;
  }
  return { word, length: position };
}
