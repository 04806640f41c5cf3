/** Help texts in the layout of docker's cobra templates. https://github.com/docker/cli/blob/v28.2.2/cli/cobra.go */
import type { Command } from "./command.ts";
import type { CommandTree, Group, Leaf } from "./command-tree.ts";
import type { FlagSet } from "./flag.ts";
import { flagUsages } from "./flag-usages.ts";

/** Names are padded to this at least, as cobra does. */
const NAME_PADDING = 11;

/** Help of one command; `path` is its spelling with the program's name. */
export function commandHelp(program: string, path: string, command: Command, columns: number): string {
  const spellings = command.spellings ?? [];
  return paragraphs([
    usageLine(path, command),
    command.about,
    spellings.length > 0 ? `Aliases:\n  ${spellings.map((spelling) => `${program} ${spelling}`).join(", ")}` : "",
    optionsOf(command.flags, "Options", columns),
  ]);
}

/** Help of `berth image` and the like. */
export function groupHelp(path: string, group: Group): string {
  return paragraphs([
    `Usage:  ${path} COMMAND`,
    group.about,
    `Commands:\n${commandLines(group.commands)}`,
    `Run '${path} COMMAND --help' for more information on a command.`,
  ]);
}

interface PluginLine {
  readonly Name: string;
  readonly ShortDescription: string;
}

/** Help of the program itself. */
export function rootHelp(
  tree: CommandTree,
  globalFlags: FlagSet,
  plugins: readonly PluginLine[],
  columns: number,
): string {
  return paragraphs([
    `Usage:  ${tree.program} [OPTIONS] COMMAND`,
    tree.about,
    ...tree.sections.map((section) => `${section.title}:\n${commandLines(section.entries)}`),
    plugins.length === 0 ? "" : `Plugins:\n${plugins.map(pluginLine).join("\n")}`,
    optionsOf(globalFlags, "Global Options", columns),
    `Run '${tree.program} COMMAND --help' for more information on a command.`,
  ]);
}

/** `Usage:  berth run [OPTIONS] IMAGE [COMMAND] [ARG...]`. */
export function usageLine(path: string, command: Command): string {
  return `Usage:  ${path}${command.usage === "" ? "" : ` ${command.usage}`}`;
}

/** An installed plugin; docker marks them with a star. */
function pluginLine({ Name, ShortDescription }: PluginLine): string {
  return `  ${`${Name}*`.padEnd(NAME_PADDING)} ${ShortDescription}`;
}

function optionsOf(flags: FlagSet, title: string, columns: number): string {
  const usages = flagUsages(flags, columns - 1);
  return usages === "" ? "" : `${title}:\n${usages.trimEnd()}`;
}

function commandLines(entries: readonly (Leaf | Group)[]): string {
  return entries
    .filter((entry) => !entry.hidden)
    .map((entry) => `  ${entry.name.padEnd(NAME_PADDING)} ${entry.about}`)
    .join("\n");
}

function paragraphs(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}
