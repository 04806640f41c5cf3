import { InvalidParameterError } from "#errors/errors.ts";
import type { Heredoc } from "../parse/heredoc.ts";
import type { LogicalLine } from "../parse/logical-lines.ts";
import type { EscapeCharacter, SourceRange } from "../parse/source.ts";
import { splitInstruction } from "../parse/split-instruction.ts";
import { type FlagKind, type FlagValues, parseFlags } from "./flags.ts";

/** A logical line taken apart, before its verb says what the words mean. */
export interface RawInstruction {
  readonly verb: string;
  readonly flags: readonly string[];
  readonly rest: string;
  readonly heredocs: readonly Heredoc[];
  readonly text: string;
  readonly source: SourceRange;
  readonly escape: EscapeCharacter;
}

/** What every typed instruction carries besides its own fields. */
export interface Origin {
  readonly text: string;
  readonly source: SourceRange;
}

export function rawInstruction(line: LogicalLine, escaper: EscapeCharacter): RawInstruction {
  const { verb, flags, rest } = splitInstruction(line.text);
  return { verb, flags, rest, heredocs: line.heredocs, text: line.text, source: line.source, escape: escaper };
}

export function originOf(raw: RawInstruction): Origin {
  return { text: raw.text, source: raw.source };
}

/** The flags of `raw`, of which only those in `known` may occur. */
export function flagsOf(raw: RawInstruction, known: Readonly<Record<string, FlagKind>> = {}): FlagValues {
  return parseFlags(raw.flags, known);
}

/** The text after the verb where it is one argument, however many words it has: WORKDIR, USER, STOPSIGNAL, MAINTAINER. */
export function onlyArgument(raw: RawInstruction): string {
  flagsOf(raw);
  if (raw.rest === "") {
    throw new InvalidParameterError(`${raw.verb.toUpperCase()} requires exactly one argument`);
  }
  return raw.rest;
}

/** `words`, of which at least one must be there. */
export function atLeastOne(raw: RawInstruction, words: readonly string[]): readonly string[] {
  if (words.length === 0) {
    throw new InvalidParameterError(`${raw.verb.toUpperCase()} requires at least one argument`);
  }
  return words;
}
