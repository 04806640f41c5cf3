import { InvalidParameterError } from "#errors/errors.ts";
import { asNumber, asText } from "./convert.ts";
import type { HclValue } from "./syntax.ts";

/** `format()`: Go's verbs v, s, q, d, f, x, X, o, b, e, t with flags, width and precision. Throws InvalidParameterError for another verb, and for too few or too many values. */
export function goFormat(text: string, args: readonly HclValue[]): string {
  let at = 0;
  const made = text.replaceAll(
    /%([-+0 #]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g,
    (_, flags: string, width = "0", precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      const value = args[at++];
      if (value === undefined) throw new InvalidParameterError(`not enough arguments for ${JSON.stringify(text)}`);
      return padded(formatted(verb, value, precision, flags), Number(width), flags);
    },
  );
  if (at < args.length) throw new InvalidParameterError(`too many arguments; only ${at} used by format string`);
  return made;
}

function formatted(verb: string, value: HclValue, precision: string | undefined, flags: string): string {
  const signed = (number: string): string => (flags.includes("+") && !number.startsWith("-") ? `+${number}` : number);
  switch (verb) {
    case "v":
      return typeof value === "object" ? JSON.stringify(value) : String(value);
    case "s":
      return precision === undefined ? asText(value) : asText(value).slice(0, Number(precision));
    case "q":
      return JSON.stringify(asText(value));
    case "t":
      return asText(value);
    case "d":
      return signed(String(Math.trunc(asNumber(value))));
    case "f":
      return signed(asNumber(value).toFixed(Number(precision ?? 6)));
    case "e":
      return signed(asNumber(value).toExponential(Number(precision ?? 6)));
    case "x":
      return asNumber(value).toString(16);
    case "X":
      return asNumber(value).toString(16).toUpperCase();
    case "o":
      return asNumber(value).toString(8);
    case "b":
      return asNumber(value).toString(2);
    default:
      throw new InvalidParameterError(`unsupported format verb %${verb}`);
  }
}

function padded(text: string, width: number, flags: string): string {
  if (flags.includes("-")) return text.padEnd(width);
  if (!flags.includes("0")) return text.padStart(width);
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  return sign + text.slice(sign.length).padStart(width - sign.length, "0");
}
