import { LineSyntaxError } from "./line-syntax-error.ts";
import type { EscapeCharacter } from "./source.ts";

/**
 * The JSON (exec) form: an array of strings in double quotes. Anything else that begins with `[` is a shell command, hence undefined;
 * only a valid array that holds something other than strings is an error (LineSyntaxError).
 */
export function jsonStrings(text: string): readonly string[] | undefined {
  if (!text.trimStart().startsWith("[")) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  return parsed.map((item: unknown) => {
    if (typeof item === "string") return item;
    throw new LineSyntaxError("when using JSON array syntax, arrays must be comprised of strings only");
  });
}

/** JSON form or words: COPY, ADD, VOLUME. */
export function jsonOrWords(text: string): readonly string[] {
  return jsonStrings(text) ?? blankSeparated(text);
}

/** Splits at blanks, quotes having no meaning: EXPOSE, FROM. */
export function blankSeparated(text: string): readonly string[] {
  return text === "" ? [] : text.split(/[\t\v\f\r ]+/);
}

/**
 * Splits at blanks outside quotes; quotes and escape characters stay in the words, because the expansion of variables needs them:
 * ENV, LABEL, ARG.
 */
export function quotedWords(text: string, escaper: EscapeCharacter): readonly string[] {
  const words: string[] = [];
  const characters = Array.from(text);
  let word = "";
  let quote = "";
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? "";
    if (quote === "" && /\s/.test(character)) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    if (character === escaper && quote !== "'") {
      const escaped = characters[++index];
      // An escape character at the very end has nothing to escape and is dropped.
      if (escaped !== undefined) word += character + escaped;
      continue;
    }
    if (character === quote) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    word += character;
  }
  if (word !== "") words.push(word);
  return words;
}
