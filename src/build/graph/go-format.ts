/**
 * Go's `fmt` verbs as far as BuildKit's history entries need them: tools compare and parse those texts.
 * https://pkg.go.dev/fmt
 */

const ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};
const NEEDS_ESCAPE = /["\\\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/** `%q` of a string. */
export function goQuote(text: string): string {
  return `"${text.replace(NEEDS_ESCAPE, (character) => ESCAPES[character] ?? escapeRune(character))}"`;
}

/** `%q` of a slice of strings: `["a" "b"]`. */
export function goQuoteAll(texts: readonly string[]): string {
  return `[${texts.map(goQuote).join(" ")}]`;
}

/** `%v` of a slice of strings: `[a b]`. */
export function goList(texts: readonly string[]): string {
  return `[${texts.join(" ")}]`;
}

function escapeRune(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}
