/** The command line from words to exit code. */
import { BerthError, CancelledError, errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { configDirectoryOf, createContext, type GlobalFlags } from "./command-context.ts";
import { COMMANDS } from "./commands.ts";
import { type ConfigFile, loadConfigFile } from "./config/config-file.ts";
import { GLOBAL_FLAGS } from "./global-flags.ts";
import type { Command } from "./grammar/command.ts";
import { type Resolution, resolveCommand } from "./grammar/command-tree.ts";
import { commandHelp, groupHelp, rootHelp, usageLine } from "./grammar/help.ts";
import { type ParsedFlags, parseFlags } from "./grammar/parse-flags.ts";
import { argumentsError, flagError, unknownCommandError } from "./grammar/usage-error.ts";
import { exitOnSignals, interruptCode } from "./interrupt.ts";
import { MISSING_BUILDER, type ReplacementBuilder, replacementBuilder, replaceWords } from "./plugins/builder-alias.ts";
import { processStreams, ReaderGoneError } from "./process-streams.ts";
import { PROGRAM } from "./program.ts";
import { StatusError } from "./status-error.ts";
import type { Output, Streams } from "./streams.ts";
import { buildCommit, VERSION } from "./version.ts";

const DEFAULT_COLUMNS = 80;
const LOG_LEVELS = ["debug", "info", "warn", "warning", "error", "fatal", "panic", "trace"];

/** Runs one command line (without the program's name) on the process's own streams. Resolves with the exit code; never throws. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const streams = processStreams();
  try {
    return await dispatch(argv, streams);
  } catch (error) {
    return await report(error, streams).catch(() => 1);
  }
}

async function dispatch(argv: readonly string[], streams: Streams): Promise<number> {
  const global = readGlobalFlags(argv);
  const isCompletion = global.args[0] === "__complete" || global.args[0] === "__completeNoDesc";
  const config = isCompletion ? {} : await loadConfig(global, streams);
  const builder = replacementBuilder(config, global.args, COMMANDS);
  if (builder) return runBuilder(builder, argv, global, streams);
  if (global.flags.version) {
    await streams.stdout.write(
      `${PROGRAM === "docker" ? "Docker" : "Berth"} version ${VERSION}, build ${buildCommit()}\n`,
    );
    return 0;
  }
  if (isCompletion) {
    const { complete } = await import("./completion/complete.ts");
    return complete(global.args.slice(1), createContext(global, streams, { startsEngine: false }), {
      described: global.args[0] === "__complete",
    });
  }
  if (global.args[0] === "help") return showHelpTopic(global, streams);
  const resolution = resolveCommand(COMMANDS, global.args);
  switch (resolution.kind) {
    case "root":
      return showRootHelp(global, streams);
    case "group":
      return showGroupHelp(resolution, global.help, streams);
    case "unknown":
      return runUnknown(resolution, argv, global, streams);
    case "command":
      return runCommand(resolution, global, streams);
  }
}

/** Reads `config.json`, and says what is wrong in it before anything else. */
async function loadConfig(global: GlobalFlags, streams: Streams): Promise<ConfigFile> {
  const { config, warning } = loadConfigFile(configDirectoryOf(global));
  if (warning !== undefined) await streams.stderr.write(`${warning}\n`);
  return config;
}

/** Another builder than Berth's own, of the user's choice. */
async function runBuilder(
  { name, before, after }: ReplacementBuilder,
  argv: readonly string[],
  global: GlobalFlags,
  streams: Streams,
): Promise<number> {
  const { findPlugin } = await import("./plugins/plugin-metadata.ts");
  const plugin = findPlugin(name, configDirectoryOf(global));
  if (!plugin) throw new StatusError(1, MISSING_BUILDER);
  const { runPlugin } = await import("./plugins/run-plugin.ts");
  return runPlugin(plugin, replaceWords(argv, before, after), createContext(global, streams));
}

/** `berth help image ls`. */
async function showHelpTopic(global: GlobalFlags, streams: Streams): Promise<number> {
  const words = global.args.slice(1).filter((word) => !word.startsWith("-"));
  const resolution = resolveCommand(COMMANDS, words);
  switch (resolution.kind) {
    case "root":
      return showRootHelp({ ...global, help: true }, streams);
    case "group":
      return showGroupHelp(resolution, true, streams);
    case "unknown":
      throw unknownTopic(words.slice(resolution.path.split(" ").length - 2));
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
async function showRootHelp(global: GlobalFlags, streams: Streams): Promise<number> {
  const out = global.help || global.args[0] === "help" || global.given.size + global.args.length === 0;
  await writeNotices(global, streams.stderr);
  const { listPlugins } = await import("./plugins/plugin-metadata.ts");
  const plugins = listPlugins(configDirectoryOf(global));
  await (out ? streams.stdout : streams.stderr).write(rootHelp(COMMANDS, GLOBAL_FLAGS, plugins, columnsOf(streams)));
  return 0;
}

async function writeNotices(parsed: { readonly notices: readonly string[] }, out: Output): Promise<void> {
  for (const notice of parsed.notices) await out.write(`${notice}\n`);
}

/** A plugin may know the command. Asked for help, an unknown command is answered with what there is. */
async function runUnknown(
  unknown: Extract<Resolution, { kind: "unknown" }>,
  argv: readonly string[],
  global: GlobalFlags,
  streams: Streams,
): Promise<number> {
  const { findPlugin } = await import("./plugins/plugin-metadata.ts");
  const plugin = unknown.group ? undefined : findPlugin(global.args[0] ?? "", configDirectoryOf(global));
  if (plugin) {
    const { runPlugin } = await import("./plugins/run-plugin.ts");
    return runPlugin(plugin, argv, createContext(global, streams));
  }
  checkUnknownsFlags(unknown);
  const wantsHelp = global.help || unknown.rest.includes("--help");
  if (!wantsHelp) throw unknownCommandError(COMMANDS.program, unknown);
  if (unknown.group) await streams.stdout.write(groupHelp(`${COMMANDS.program} ${unknown.group.name}`, unknown.group));
  else await showRootHelp({ ...global, help: true }, streams);
  return 0;
}

/** As docker, which reads flags before it looks for the command. Throws StatusError. */
function checkUnknownsFlags({ group, rest }: Extract<Resolution, { kind: "unknown" }>): void {
  const { program } = COMMANDS;
  const path = group ? `${program} ${group.name}` : program;
  try {
    parseFlags(group ? {} : GLOBAL_FLAGS, rest);
  } catch (error) {
    throw flagError(errorMessage(error), path, `Usage:  ${path}${group ? "" : " [OPTIONS] COMMAND [ARG...]"}`);
  }
}

function readGlobalFlags(argv: readonly string[]): GlobalFlags {
  try {
    const parsed = parseFlags(GLOBAL_FLAGS, argv, { stopAtFirstArgument: true });
    const level = parsed.flags["log-level"];
    if (!LOG_LEVELS.includes(level)) throw new StatusError(1, `Unable to parse logging level: ${level}`);
    return parsed;
  } catch (error) {
    if (error instanceof StatusError) throw error;
    const { program } = COMMANDS;
    throw flagError(errorMessage(error), program, `Usage:  ${program} [OPTIONS] COMMAND [ARG...]`);
  }
}

async function showGroupHelp(
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

async function runCommand(
  resolved: Extract<Resolution, { kind: "command" }>,
  global: GlobalFlags,
  streams: Streams,
): Promise<number> {
  const command = await resolved.leaf.load();
  const parsed = readCommandFlags(command, resolved);
  await writeNotices(parsed, streams.stdout);
  if (parsed.help || global.help) {
    await showCommandHelp(command, resolved.path, streams);
    return 0;
  }
  const { least, most } = command.arguments;
  if (parsed.args.length < least || parsed.args.length > most) throw argumentsError(resolved.path, command);
  const context = createContext(global, streams);
  exitOnSignals(["SIGINT", "SIGTERM"]);
  if (!command.offline) void context.engine;
  return command.run(parsed, context);
}

async function showCommandHelp(command: Command, path: string, streams: Streams): Promise<void> {
  await streams.stdout.write(commandHelp(COMMANDS.program, path, command, columnsOf(streams)));
}

function readCommandFlags(
  command: Command,
  resolved: Extract<Resolution, { kind: "command" }>,
): ParsedFlags<Command["flags"]> {
  try {
    const isRaw = command.takesAnything === true && !resolved.rest.includes("--help");
    const words = isRaw ? ["--", ...resolved.rest] : resolved.rest;
    return parseFlags(command.flags, words, { stopAtFirstArgument: command.stopAtFirstArgument ?? false });
  } catch (error) {
    if (!(error instanceof InvalidParameterError)) throw error;
    throw flagError(error.message, resolved.path, usageLine(resolved.path, command));
  }
}

function columnsOf(streams: Streams): number {
  return streams.terminalSize()?.columns ?? DEFAULT_COLUMNS;
}

/** Says what went wrong and turns it into an exit code. */
async function report(error: unknown, streams: Streams): Promise<number> {
  // What Go programs end with when they write to a closed pipe.
  if (error instanceof ReaderGoneError) return 141;
  if (error instanceof StatusError) {
    if (error.message !== "") await streams.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof CancelledError && interruptCode() !== undefined) return interruptCode() ?? 130;
  if (error instanceof BerthError) {
    await streams.stderr.write(`${error.message}\n`);
    return 1;
  }
  const detail = error instanceof Error && error.stack ? error.stack : errorMessage(error);
  await streams.stderr.write(`berth: internal error: ${detail}\n`);
  return 1;
}
