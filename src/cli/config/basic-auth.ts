/** The `auth` of an entry in `config.json`: base64 of `user:password`. */
import { InvalidParameterError } from "#errors/errors.ts";

export interface BasicAuth {
  readonly username: string;
  readonly password: string;
}

const ALPHABET = /[A-Za-z0-9+/]/;

/** Throws InvalidParameterError in docker's words. */
export function decodeBasicAuth(auth: string): BasicAuth {
  const bad = illegalByte(auth);
  if (bad !== undefined) throw new InvalidParameterError(`illegal base64 data at input byte ${bad}`);
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon <= 0) throw new InvalidParameterError("Invalid auth configuration file");
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/^\0+|\0+$/g, "") };
}

/** Offset of what is no base64 with padding, as Go's decoder counts it; undefined when all of it is. */
function illegalByte(text: string): number | undefined {
  let inGroup = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] ?? "";
    if (sign === "\n" || sign === "\r") continue;
    if (ALPHABET.test(sign)) inGroup = (inGroup + 1) % 4;
    else return sign === "=" && inGroup >= 2 ? illegalPadding(text, at, inGroup) : at;
  }
  return inGroup === 0 ? undefined : text.length - inGroup;
}

/** `=` or `==` ends the text. */
function illegalPadding(text: string, at: number, inGroup: number): number | undefined {
  const rest = text.slice(at + 1).replace(/[\r\n]/g, "");
  if (inGroup === 3) return rest === "" ? undefined : at + 1;
  if (rest === "") return text.length;
  if (!rest.startsWith("=")) return at;
  return rest === "=" ? undefined : at + 2;
}
