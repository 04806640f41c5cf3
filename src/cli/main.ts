/** The command line from words to exit code. */
import { BerthError, CancelledError, errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { configDirectoryOf, createContext, type GlobalFlags } from "./command-context.ts";
import { COMMANDS } from "./commands.ts";
import { type ConfigFile, loadConfigFile } from "./config/config-file.ts";
import { GLOBAL_FLAGS } from "./global-flags.ts";
import type { Command } from "./grammar/command.ts";
import { type Resolution, resolveCommand } from "./grammar/command-tree.ts";
import { groupHelp, usageLine } from "./grammar/help.ts";
import { type ParsedFlags, parseFlags } from "./grammar/parse-flags.ts";
import { argumentsError, flagError, unknownCommandError } from "./grammar/usage-error.ts";
import { exitOnSignals, interruptCode } from "./interrupt.ts";
import { MISSING_BUILDER, type ReplacementBuilder, replacementBuilder, replaceWords } from "./plugins/builder-alias.ts";
import { hooksRun } from "./plugins/hooks-switch.ts";
import { processStreams, ReaderGoneError } from "./process-streams.ts";
import { PROGRAM } from "./program.ts";
import { showCommandHelp, showGroupHelp, showHelpTopic, showRootHelp, writeNotices } from "./show-help.ts";
import { StatusError } from "./status-error.ts";
import type { Streams } from "./streams.ts";
import { buildCommit, VERSION } from "./version.ts";

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
  if (global.args[0] === "help") return showHelpTopic(global, argv, streams);
  const resolution = resolveCommand(COMMANDS, global.args);
  switch (resolution.kind) {
    case "root":
      return showRootHelp(global, streams);
    case "group":
      return showGroupHelp(resolution, global.help, streams);
    case "unknown":
      return runUnknown(resolution, argv, global, streams, config);
    case "command":
      return runCommand(resolution, global, streams, config);
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

/** A plugin may know the command. Asked for help, an unknown command is answered with what there is. */
async function runUnknown(
  unknown: Extract<Resolution, { kind: "unknown" }>,
  argv: readonly string[],
  global: GlobalFlags,
  streams: Streams,
  config: ConfigFile,
): Promise<number> {
  const { findPlugin } = await import("./plugins/plugin-metadata.ts");
  const plugin = unknown.group ? undefined : findPlugin(global.args[0] ?? "", configDirectoryOf(global));
  if (plugin) {
    const { runPlugin } = await import("./plugins/run-plugin.ts");
    const context = createContext(global, streams);
    const exitCode = await runPlugin(plugin, argv, context);
    if (exitCode === 0 && hooksRun(config, streams.stdout, process.env)) {
      const { showHintsOfPlugin } = await import("./plugins/hooks.ts");
      await showHintsOfPlugin(config, plugin.Name, global.args, context);
    }
    return exitCode;
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

async function runCommand(
  resolved: Extract<Resolution, { kind: "command" }>,
  global: GlobalFlags,
  streams: Streams,
  config: ConfigFile,
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
  if (!hooksRun(config, streams.stdout, process.env)) return command.run(parsed, context);
  const { runWithHooks } = await import("./plugins/hooks.ts");
  const words = resolved.path.split(" ").slice(1);
  const hooked = { words, name: words.at(-1) ?? "", flags: command.flags, parsed };
  return runWithHooks(config, hooked, context, () => command.run(parsed, context));
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
