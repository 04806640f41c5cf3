/** fmt.Sprintf for the verbs that templates use. https://pkg.go.dev/fmt */
import { goShortest } from "../go-units.ts";
import { formatValue, typeName } from "./values.ts";

const DIRECTIVE = /%([-+# 0]*)(\d+|\*)?(?:\.(\d+)?)?(?:\[(\d+)\])?([^\s\d.[\]]|$)/gu;

interface Directive {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly verb: string;
}

/** Formats as Go does, faults included: `%!d(string=x)`, `%!s(MISSING)`, `%!(EXTRA int=1)`. */
export function sprintf(format: string, args: readonly unknown[]): string {
  let next = 0;
  let isReordered = false;
  const text = format.replace(DIRECTIVE, (match, flags: string, width: string | undefined, precision, number, verb) => {
    if (verb === "%") return "%";
    if (verb === "") return "%!(NOVERB)";
    const columns = width === "*" ? Number(args[next++]) : Number(width ?? 0);
    if (number !== undefined) {
      isReordered = true;
      next = Number(number) - 1;
      if (next < 0 || next >= args.length) return `%!${verb}(BADINDEX)`;
    }
    if (next >= args.length) return `%!${verb}(MISSING)`;
    const digits = match.includes(".") ? Number(precision ?? 0) : undefined;
    const directive = { flags, width: columns, precision: digits, verb };
    return pad(formatOne(directive, args[next++]), directive);
  });
  const extra = args.slice(next);
  if (extra.length === 0 || isReordered) return text;
  return `${text}%!(EXTRA ${extra.map((arg) => `${typeName(arg)}=${formatValue(arg)}`).join(", ")})`;
}

function formatOne(directive: Directive, value: unknown): string {
  const { verb, precision, flags } = directive;
  // Of a list, each element.
  if (Array.isArray(value) && !"vsT".includes(verb)) {
    return `[${value.map((one) => formatOne(directive, one)).join(" ")}]`;
  }
  switch (verb) {
    case "v":
      return flags.includes("#") && typeof value === "string" ? quote(value) : formatValue(value);
    case "s":
      if (typeof value === "number" || typeof value === "boolean") break;
      return precision === undefined ? formatValue(value) : Array.from(formatValue(value)).slice(0, precision).join("");
    case "q":
      if (typeof value === "string") return flags.includes("#") ? rawQuote(value) : quote(value);
      if (Number.isInteger(value)) return `'${String.fromCodePoint(Number(value))}'`;
      break;
    case "T":
      return typeName(value);
    case "t":
      if (typeof value === "boolean") return String(value);
      break;
    case "d":
      if (Number.isInteger(value)) return signed(Number(value), flags, (n) => String(n));
      break;
    case "x":
    case "X":
    case "o":
    case "O":
    case "b":
      return formatRadix(verb, value, flags) ?? mismatch(verb, value);
    case "c":
      if (Number.isInteger(value)) return String.fromCodePoint(Number(value));
      break;
    case "U":
      if (Number.isInteger(value)) return `U+${Number(value).toString(16).toUpperCase().padStart(4, "0")}`;
      break;
    case "f":
    case "F":
    case "e":
    case "g":
      if (typeof value === "number") return signed(value, flags, (n) => formatFloat(verb, n, precision));
      break;
  }
  return mismatch(verb, value);
}

function mismatch(verb: string, value: unknown): string {
  return value === undefined || value === null
    ? `%!${verb}(<nil>)`
    : `%!${verb}(${typeName(value)}=${formatValue(value)})`;
}

const RADIX: Readonly<Record<string, number>> = { x: 16, X: 16, o: 8, O: 8, b: 2 };

const PREFIX: Readonly<Record<string, string>> = { x: "0x", X: "0X", o: "0", b: "0b" };

function formatRadix(verb: string, value: unknown, flags: string): string | undefined {
  const prefix = verb === "O" ? "0o" : flags.includes("#") ? (PREFIX[verb] ?? "") : "";
  const change = (text: string): string => prefix + (verb === "X" ? text.toUpperCase() : text);
  if (Number.isInteger(value)) return signed(Number(value), flags, (n) => change(n.toString(RADIX[verb])));
  if (typeof value !== "string" || RADIX[verb] !== 16) return undefined;
  const hex = Buffer.from(value).toString("hex");
  return change(flags.includes(" ") ? hex.replace(/..(?=.)/g, "$& ") : hex);
}

function formatFloat(verb: string, value: number, precision: number | undefined): string {
  if (verb === "e") return value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, "e$10$2");
  if (verb === "g") return precision === undefined ? formatValue(value) : goShortest(value, Math.max(1, precision));
  return value.toFixed(precision ?? 6);
}

function signed(value: number, flags: string, format: (magnitude: number) => string): string {
  const sign = value < 0 ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
  return sign + format(Math.abs(value));
}

function pad(text: string, { flags, width, verb }: Directive): string {
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes("-")) return text + " ".repeat(missing);
  const zero = flags.includes("0") && "dfFegxXob".includes(verb);
  if (!zero) return " ".repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  return sign + "0".repeat(missing) + text.slice(sign.length);
}

/** strconv.Quote: like JSON but for the control characters. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/\\u00([0-9a-f]{2})/g, (_match, hex: string) => {
    if (hex === "07") return "\\a";
    return hex === "0b" ? "\\v" : `\\x${hex}`;
  });
}

/** strconv.Quote, in backquotes where that can be. */
function rawQuote(text: string): string {
  return /[`\x00-\x08\x0a-\x1f\x7f]/.test(text) ? quote(text) : `\`${text}\``;
}
