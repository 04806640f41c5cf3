/** `berth __complete WORDS…`: what could stand for the last word, in the protocol of cobra. https://github.com/spf13/cobra/blob/v1.9.1/completions.go */
import { BerthError } from "#errors/errors.ts";
import { COMMANDS } from "../commands.ts";
import { GLOBAL_FLAGS } from "../global-flags.ts";
import type { Command, CommandContext } from "../grammar/command.ts";
import { type Group, isGroup, type Leaf } from "../grammar/command-tree.ts";
import type { FlagSet } from "../grammar/flag.ts";
import { candidatesFrom } from "./candidates.ts";
import { argumentSource, flagChoices } from "./choices.ts";

/** What the shell does with the candidates. */
const DIRECTIVES = { default: 0, error: 1, noSpace: 2, noFiles: 4, directories: 16 } as const;
type Directive = keyof typeof DIRECTIVES;

interface Answer {
  /** `value`, or `value\tdescription`. */
  readonly candidates: readonly string[];
  readonly directive: Directive;
}

interface CompleteOptions {
  /** With what each candidate is about. */
  readonly described: boolean;
}

/** Answers for `words`, of which the last is being typed. An engine that is not there has no names, and that is no error to show. */
export async function complete(
  words: readonly string[],
  context: CommandContext,
  { described }: CompleteOptions,
): Promise<number> {
  const { candidates, directive } = await answerFor(words, context).catch((error: unknown): Answer => {
    if (error instanceof BerthError) return { candidates: [], directive: "error" };
    throw error;
  });
  const lines = candidates.map((candidate) => (described ? candidate : (candidate.split("\t", 1)[0] ?? "")));
  await context.streams.stdout.write([...lines, `:${DIRECTIVES[directive]}`].map((line) => `${line}\n`).join(""));
  return 0;
}

async function answerFor(words: readonly string[], context: CommandContext): Promise<Answer> {
  const typed = words.at(-1) ?? "";
  const place = await findPlace(words.slice(0, -1));
  if (place.kind === "command") return commandAnswer(place, typed, context);
  if (place.pendingFlag !== undefined) return flagValues("", place.pendingFlag, typed, context);
  if (typed.startsWith("-")) return flagsAnswer(place.flags, typed);
  const names = place.entries.filter(({ hidden }) => !hidden).map(({ name, about }) => `${name}\t${about}`);
  return { candidates: matching(names, typed), directive: "noFiles" };
}

type Place =
  | {
      readonly kind: "list";
      readonly entries: readonly (Leaf | Group)[];
      readonly flags: FlagSet;
      readonly pendingFlag: string | undefined;
    }
  | {
      readonly kind: "command";
      readonly path: string;
      readonly command: Command;
      readonly leaf: Leaf;
      readonly rest: readonly string[];
    };

/** Goes down the tree along the words that are there. */
async function findPlace(words: readonly string[]): Promise<Place> {
  let entries: readonly (Leaf | Group)[] = COMMANDS.sections.flatMap((section) => section.entries);
  let flags: FlagSet = GLOBAL_FLAGS;
  const path: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word.startsWith("-")) {
      const flag = flagThatTakes(flags, word);
      if (flag === undefined) continue;
      if (at === words.length - 1) return { kind: "list", entries, flags, pendingFlag: flag };
      at++;
      continue;
    }
    const entry = entries.find((one) => one.name === word || (!isGroup(one) && one.aliases?.includes(word)));
    if (!entry) return { kind: "list", entries: [], flags, pendingFlag: undefined };
    path.push(entry.name);
    if (!isGroup(entry)) {
      const command = await entry.load();
      return { kind: "command", path: path.join(" "), command, leaf: entry, rest: words.slice(at + 1) };
    }
    entries = entry.commands;
    flags = {};
  }
  return { kind: "list", entries, flags, pendingFlag: undefined };
}

/** The name of the flag whose value is the next word; undefined when `word` has its value or needs none. */
function flagThatTakes(flags: FlagSet, word: string): string | undefined {
  if (word.includes("=") || word === "-" || word === "--") return undefined;
  const name = word.startsWith("--")
    ? word.slice(2)
    : Object.entries(flags).find(([, flag]) => flag.short === word.at(-1))?.[0];
  const flag = name === undefined || !Object.hasOwn(flags, name) ? undefined : flags[name];
  return flag && flag.impliedText === undefined ? name : undefined;
}

async function commandAnswer(
  { path, command, leaf, rest }: Extract<Place, { kind: "command" }>,
  typed: string,
  context: CommandContext,
): Promise<Answer> {
  const args: string[] = [];
  let pending: string | undefined;
  for (const word of rest) {
    if (pending !== undefined) pending = undefined;
    else if (word.startsWith("-") && word !== "-") pending = flagThatTakes(command.flags, word);
    else args.push(word);
  }
  if (pending !== undefined) return flagValues(path, pending, typed, context);
  // Behind the image, all belongs to the container.
  if (command.stopAtFirstArgument && args.length > 0) return { candidates: [], directive: "default" };
  const assigned = /^--([\w-]+)=(.*)$/s.exec(typed);
  if (assigned) return assignedValues(path, assigned[1] ?? "", assigned[2] ?? "", context);
  if (typed.startsWith("-")) return flagsAnswer(command.flags, typed);
  const below = (leaf.below ?? []).map(({ name, about }) => `${name}\t${about}`);
  return argumentAnswer(path, [...args], args.length === 0 ? below : [], typed, context);
}

async function argumentAnswer(
  path: string,
  args: readonly string[],
  below: readonly string[],
  typed: string,
  context: CommandContext,
): Promise<Answer> {
  const source = argumentSource(path, args.length);
  if (source === "files") return { candidates: matching(below, typed), directive: "default" };
  if (source === "directories") return { candidates: matching(below, typed), directive: "directories" };
  const names = source === undefined ? [] : await candidatesFrom(source, context);
  const fresh = names.filter((name) => !args.includes(name.split("\t", 1)[0] ?? ""));
  return { candidates: matching([...below, ...fresh], typed), directive: "noFiles" };
}

function flagsAnswer(flags: FlagSet, typed: string): Answer {
  const visible = Object.entries(flags).filter(([, flag]) => !flag.hidden);
  const candidates = visible
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, flag]) => {
      const about = (flag.usage.split("\n", 1)[0] ?? "").trim();
      return [`--${name}\t${about}`, ...(flag.short ? [`-${flag.short}\t${about}`] : [])];
    });
  return { candidates: matching(candidates, typed), directive: "noFiles" };
}

async function flagValues(path: string, flag: string, typed: string, context: CommandContext): Promise<Answer> {
  const choices = flagChoices(path, flag);
  if (choices === "files") return { candidates: [], directive: "default" };
  if (typeof choices === "string") {
    return { candidates: matching(await candidatesFrom(choices, context), typed), directive: "noFiles" };
  }
  const candidates = matching(choices, typed);
  return { candidates, directive: choices.some((choice) => choice.endsWith("=")) ? "noSpace" : "noFiles" };
}

/** `--network=br`: the shell wants whole words back. */
async function assignedValues(path: string, flag: string, typed: string, context: CommandContext): Promise<Answer> {
  const { candidates, directive } = await flagValues(path, flag, typed, context);
  return { candidates: candidates.map((candidate) => `--${flag}=${candidate}`), directive };
}

function matching(candidates: readonly string[], typed: string): readonly string[] {
  return candidates.filter((candidate) => candidate.startsWith(typed));
}
