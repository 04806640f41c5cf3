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
  load(): Promise<Command>;
}

/** `berth image`, `berth container`. */
export interface Group {
  readonly name: string;
  readonly about: string;
  readonly commands: readonly Leaf[];
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
  | { readonly kind: "unknown"; readonly path: string; readonly group?: Group; readonly similar: readonly string[] };

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
  if (!entry) return { kind: "unknown", path: `${tree.program} ${first}`, similar: similarNames(entries, first) };
  if (!isGroup(entry)) return { kind: "command", path: `${tree.program} ${entry.name}`, leaf: entry, rest };
  return resolveInGroup(`${tree.program} ${entry.name}`, entry, rest);
}

function resolveInGroup(path: string, group: Group, words: readonly string[]): Resolution {
  const [first, ...rest] = words;
  if (first === undefined || first.startsWith("-")) return { kind: "group", path, group, rest: words };
  const leaf = findEntry(group.commands, first);
  if (!leaf) return { kind: "unknown", path: `${path} ${first}`, group, similar: similarNames(group.commands, first) };
  return { kind: "command", path: `${path} ${leaf.name}`, leaf, rest };
}

function findEntry<E extends Leaf | Group>(entries: readonly E[], name: string): E | undefined {
  return entries.find((entry) => entry.name === name || (!isGroup(entry) && (entry.aliases ?? []).includes(name)));
}

/** Names that are at most two edits away (one, for short words), or begin with what was typed. */
function similarNames(entries: readonly (Leaf | Group)[], typed: string): readonly string[] {
  const lower = typed.toLowerCase();
  return entries
    .filter((entry) => isGroup(entry) || !entry.hidden)
    .map((entry) => entry.name)
    .filter((name) => editDistance(lower, name) <= Math.min(2, Math.floor(lower.length / 3)) || name.startsWith(lower));
}
