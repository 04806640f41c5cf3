import { editDistance } from "#lib/closest-word.ts";
import type { Command } from "./command.ts";

/** A command that is loaded when it is used: start-up must not pay for the fifty others. */
export interface Leaf {
  readonly name: string;
  /** Other names at the same place. */
  readonly aliases?: readonly string[];
  /** Its line in the list of commands. */
  readonly about: string;
  /** Left out of the help. */
  readonly hidden?: boolean;
  /** Commands below one that does something itself: `berth build history ls` beside `berth build .`. */
  readonly below?: readonly (Leaf | Group)[];
  load(): Promise<Command>;
}

/** `berth image`, `berth container`. */
export interface Group {
  readonly name: string;
  readonly about: string;
  /** Left out of the help. */
  readonly hidden?: boolean;
  readonly commands: readonly (Leaf | Group)[];
}

/** A heading of the root's help with what stands below it. */
interface Section {
  readonly title: string;
  readonly entries: readonly (Leaf | Group)[];
}

export interface CommandTree {
  readonly program: string;
  readonly about: string;
  readonly sections: readonly Section[];
}

export type Resolution =
  | { readonly kind: "command"; readonly path: string; readonly leaf: Leaf; readonly rest: readonly string[] }
  | { readonly kind: "group"; readonly path: string; readonly group: Group; readonly rest: readonly string[] }
  | { readonly kind: "root" }
  | {
      readonly kind: "unknown";
      readonly path: string;
      readonly group?: Group;
      readonly similar: readonly string[];
      /** The words behind it. */
      readonly rest: readonly string[];
    };

/** Whether `entry` holds commands itself. */
export function isGroup(entry: Leaf | Group): entry is Group {
  return "commands" in entry;
}

/** Finds what `words` (global flags taken off) name. */
export function resolveCommand(tree: CommandTree, words: readonly string[]): Resolution {
  const [first, ...rest] = words;
  if (first === undefined) return { kind: "root" };
  const entries = tree.sections.flatMap((section) => section.entries);
  const entry = findEntry(entries, first);
  if (!entry) return { kind: "unknown", path: `${tree.program} ${first}`, similar: similarNames(entries, first), rest };
  return resolveEntry(`${tree.program} ${entry.name}`, entry, rest);
}

function resolveEntry(path: string, entry: Leaf | Group, words: readonly string[]): Resolution {
  if (isGroup(entry)) return resolveInGroup(path, entry, words);
  const [first, ...rest] = words;
  const below = first === undefined ? undefined : findEntry(entry.below ?? [], first);
  if (below) return resolveEntry(`${path} ${below.name}`, below, rest);
  return { kind: "command", path, leaf: entry, rest: words };
}

function resolveInGroup(path: string, group: Group, words: readonly string[]): Resolution {
  const [first, ...rest] = words;
  if (first === undefined || first.startsWith("-")) return { kind: "group", path, group, rest: words };
  const entry = findEntry(group.commands, first);
  if (!entry)
    return { kind: "unknown", path: `${path} ${first}`, group, similar: similarNames(group.commands, first), rest };
  return resolveEntry(`${path} ${entry.name}`, entry, rest);
}

function findEntry<E extends Leaf | Group>(entries: readonly E[], name: string): E | undefined {
  return entries.find((entry) => entry.name === name || (!isGroup(entry) && (entry.aliases ?? []).includes(name)));
}

/** Names that are at most two edits away (one, for short words), or begin with what was typed. */
function similarNames(entries: readonly (Leaf | Group)[], typed: string): readonly string[] {
  const lower = typed.toLowerCase();
  return entries
    .filter((entry) => !entry.hidden)
    .map((entry) => entry.name)
    .filter((name) => editDistance(lower, name) <= Math.min(2, Math.floor(lower.length / 3)) || name.startsWith(lower));
}
