/** The help: of the program, of a group, of a command. */
import { errorMessage } from "#errors/errors.ts";
import { configDirectoryOf, type GlobalFlags } from "./command-context.ts";
import { COMMANDS } from "./commands.ts";
import { GLOBAL_FLAGS } from "./global-flags.ts";
import type { Command } from "./grammar/command.ts";
import { type Resolution, resolveCommand } from "./grammar/command-tree.ts";
import { commandHelp, groupHelp, rootHelp } from "./grammar/help.ts";
import { type ParsedFlags, parseFlags } from "./grammar/parse-flags.ts";
import { flagError } from "./grammar/usage-error.ts";
import { StatusError } from "./status-error.ts";
import type { Output, Streams } from "./streams.ts";

const DEFAULT_COLUMNS = 80;

/** `berth help image ls`; of a plugin, with the whole command line `argv`, as it says itself. Throws StatusError for what is no command. */
export async function showHelpTopic(global: GlobalFlags, argv: readonly string[], streams: Streams): Promise<number> {
  const words = global.args.slice(1).filter((word) => !word.startsWith("-"));
  const resolution = resolveCommand(COMMANDS, words);
  switch (resolution.kind) {
    case "root":
      return showRootHelp({ ...global, help: true }, streams);
    case "group":
      return showGroupHelp(resolution, true, streams);
    case "unknown": {
      const { findPlugin } = await import("./plugins/plugin-metadata.ts");
      const plugin = resolution.group ? undefined : findPlugin(words[0] ?? "", configDirectoryOf(global));
      if (plugin) return (await import("./plugins/run-plugin.ts")).runPlugin(plugin, argv);
      throw unknownTopic(words.slice(resolution.path.split(" ").length - 2));
    }
    case "command":
      if (resolution.rest.length > 0) throw unknownTopic(resolution.rest);
      await showCommandHelp(await resolution.leaf.load(), resolution.path, streams);
      return 0;
  }
}

function unknownTopic(words: readonly string[]): StatusError {
  return new StatusError(1, `unknown help topic: ${words.join(" ")}`);
}

/** Who asks for help gets it on stdout; who has only named no command is told what there is. */
export async function showRootHelp(global: GlobalFlags, streams: Streams): Promise<number> {
  const out = global.help || global.args[0] === "help" || global.given.size + global.args.length === 0;
  await writeNotices(global, streams.stderr);
  const { listPlugins } = await import("./plugins/plugin-metadata.ts");
  const plugins = listPlugins(configDirectoryOf(global));
  await (out ? streams.stdout : streams.stderr).write(rootHelp(COMMANDS, GLOBAL_FLAGS, plugins, columnsOf(streams)));
  return 0;
}

/** What is to be said of flags that docker wants to be rid of. */
export async function writeNotices(parsed: { readonly notices: readonly string[] }, out: Output): Promise<void> {
  for (const notice of parsed.notices) await out.write(`${notice}\n`);
}

/** As {@link showRootHelp}, of a group of commands. Throws StatusError for flags that it does not have. */
export async function showGroupHelp(
  group: Extract<Resolution, { kind: "group" }>,
  wantsHelp: boolean,
  streams: Streams,
): Promise<number> {
  const parsed = readGroupFlags(group);
  await writeNotices(parsed, streams.stdout);
  const out = wantsHelp || parsed.help ? streams.stdout : streams.stderr;
  await out.write(groupHelp(group.path, group.group));
  return 0;
}

function readGroupFlags(group: Extract<Resolution, { kind: "group" }>): ParsedFlags<Record<never, never>> {
  try {
    return parseFlags({}, group.rest);
  } catch (error) {
    throw flagError(errorMessage(error), group.path, `Usage:  ${group.path}`);
  }
}

/** `berth image ls --help`. */
export async function showCommandHelp(command: Command, path: string, streams: Streams): Promise<void> {
  await streams.stdout.write(commandHelp(COMMANDS.program, path, command, columnsOf(streams)));
}

function columnsOf(streams: Streams): number {
  return streams.terminalSize()?.columns ?? DEFAULT_COLUMNS;
}
