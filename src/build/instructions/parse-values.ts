import { InvalidParameterError } from "#errors/errors.ts";
import { blankSeparated, jsonOrWords, jsonStrings, quotedWords } from "../parse/arguments.ts";
import { LineSyntaxError } from "../parse/line-syntax-error.ts";
import { atLeastOne, flagsOf, originOf, type RawInstruction } from "./raw-instruction.ts";
import type { ArgInstruction, ExposeInstruction, KeyValue, ShellInstruction, VolumeInstruction } from "./types.ts";

/** The pairs of ENV and LABEL: `k=v k2=v2`, or the old `k the rest of the line`. */
export function parsePairs(raw: RawInstruction): readonly KeyValue[] {
  const verb = raw.verb.toUpperCase();
  const words = quotedWords(raw.rest, raw.escape);
  flagsOf(raw);
  const pairs = atLeastOne(raw, words)[0]?.includes("=") ? words.map(splitPair) : [oldPair(verb, raw.rest)];
  if (pairs.some((pair) => pair.key === "")) throw new InvalidParameterError(`${verb} names can not be blank`);
  return pairs;
}

function splitPair(word: string): KeyValue {
  const equals = word.indexOf("=");
  if (equals < 0) {
    throw new LineSyntaxError(
      `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
    );
  }
  return { key: word.slice(0, equals), value: word.slice(equals + 1) };
}

function oldPair(verb: string, text: string): KeyValue {
  const match = /^([^\t\v\f\r ]+)[\t\v\f\r ]+(.*)$/s.exec(text);
  if (!match) throw new LineSyntaxError(`${verb} must have two arguments`);
  return { key: match[1] ?? "", value: match[2] ?? "" };
}

/** `ARG NAME[=VALUE] …`. */
export function parseArg(raw: RawInstruction): ArgInstruction {
  flagsOf(raw);
  const args = atLeastOne(raw, quotedWords(raw.rest, raw.escape)).map((word) => {
    if (!word.includes("=")) return { key: word };
    const pair = splitPair(word);
    if (pair.key === "") throw new InvalidParameterError("ARG names can not be blank");
    return pair;
  });
  return { ...originOf(raw), kind: "arg", args };
}

/** `EXPOSE PORT…`; sorted as BuildKit does, so that the image does not depend on the order. */
export function parseExpose(raw: RawInstruction): ExposeInstruction {
  flagsOf(raw);
  return { ...originOf(raw), kind: "expose", ports: atLeastOne(raw, blankSeparated(raw.rest)).toSorted() };
}

/** `VOLUME PATH…`, words or JSON. */
export function parseVolume(raw: RawInstruction): VolumeInstruction {
  flagsOf(raw);
  const paths = atLeastOne(raw, jsonOrWords(raw.rest)).map((path) => path.trim());
  if (paths.includes("")) throw new InvalidParameterError("VOLUME specified can not be an empty string");
  return { ...originOf(raw), kind: "volume", paths };
}

/** `SHELL ["program", "arg"]`: JSON only. */
export function parseShell(raw: RawInstruction): ShellInstruction {
  flagsOf(raw);
  const shell = jsonStrings(raw.rest);
  if (raw.rest !== "" && !shell) {
    throw new InvalidParameterError("SHELL requires the arguments to be in JSON form");
  }
  return { ...originOf(raw), kind: "shell", shell: atLeastOne(raw, shell ?? []) };
}
