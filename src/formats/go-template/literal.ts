import type { Token } from "./lexer.ts";
import { TemplateError } from "./template-error.ts";

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

/** The value of a literal. A character is its code, as in Go. Throws TemplateError with the reason only. */
export function parseLiteral(token: Token): string | number | boolean {
  const { kind, text } = token;
  if (kind === "bool") return text === "true";
  if (kind === "rawString") return text.slice(1, -1);
  if (kind === "string") return unescapeText(text.slice(1, -1));
  if (kind === "char") {
    const character = unescapeText(text.slice(1, -1));
    if (Array.from(character).length !== 1) throw new TemplateError(`malformed character constant: ${text}`);
    return character.codePointAt(0) ?? 0;
  }
  return parseNumber(text);
}

function parseNumber(text: string): number {
  const digits = text.replaceAll("_", "");
  if (/^[+-]?0\d*[89]\d*$/.test(digits)) throw new TemplateError(`integer overflow: "${text}"`);
  if (/^[+-]?0[0-7]+$/.test(digits)) return Number.parseInt(digits, 8);
  const value = hexadecimalFloat(digits) ?? decimal(digits);
  if (!Number.isFinite(value)) throw new TemplateError(`illegal number syntax: "${text}"`);
  if (/^[+-]?\d+$/.test(digits) && Math.abs(value) >= 2 ** 64) {
    throw new TemplateError(`integer overflow: "${text}"`);
  }
  return value;
}

/** `0x1p4`: a mantissa and a power of two. */
function hexadecimalFloat(digits: string): number | undefined {
  const match = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/.exec(digits);
  if (!match) return undefined;
  const [, sign, whole = "", part = "", power] = match;
  const mantissa = Number.parseInt(whole + part, 16) / 16 ** part.length;
  return (sign === "-" ? -1 : 1) * mantissa * 2 ** Number(power);
}

function decimal(digits: string): number {
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
      const escaped = ESCAPES[single];
      if (escaped === undefined) throw new TemplateError("invalid syntax");
      return escaped;
    },
  );
}
