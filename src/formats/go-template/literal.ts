import type { Token } from "./lexer.ts";

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

/** The value of a literal. A character is its code, as in Go. */
export function parseLiteral(token: Token): string | number | boolean {
  const { kind, text } = token;
  if (kind === "bool") return text === "true";
  if (kind === "rawString") return text.slice(1, -1);
  if (kind === "string") return unescapeText(text.slice(1, -1));
  if (kind === "char") return unescapeText(text.slice(1, -1)).codePointAt(0) ?? 0;
  const digits = text.replaceAll("_", "");
  if (/^[+-]?0[0-7]+$/.test(digits)) return Number.parseInt(digits, 8);
  return digits.startsWith("-") ? -Number(digits.slice(1)) : Number(digits.replace(/^\+/, ""));
}

/** Go's string escapes: `\n`, `\x41`, `\101`, `\u00e9`, `\U0001F600`. */
function unescapeText(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/gs,
    (_match, hex, short, long, octal, single) => {
      const code = hex ?? short ?? long;
      if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      return ESCAPES[single] ?? `\\${single}`;
    },
  );
}
