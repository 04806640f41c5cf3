/** The command line from words to exit code. */
import { homedir } from "node:os";
import { join } from "node:path";
import { resolveEndpoint } from "#client/endpoint.ts";
import { HttpEngine } from "#client/http-engine.ts";
import { BerthError, CancelledError, errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { clientTls } from "./client-tls.ts";
import { COMMANDS } from "./commands.ts";
import { GLOBAL_FLAGS } from "./global-flags.ts";
import type { Command, CommandContext } from "./grammar/command.ts";
import { type Resolution, resolveCommand } from "./grammar/command-tree.ts";
import { commandHelp, groupHelp, rootHelp } from "./grammar/help.ts";
import { type ParsedFlags, parseFlags } from "./grammar/parse-flags.ts";
import { argumentsError, flagError, unknownCommandError } from "./grammar/usage-error.ts";
import { interruptCode, interruptSignal } from "./interrupt.ts";
import { processStreams, ReaderGoneError } from "./process-streams.ts";
import { StatusError } from "./status-error.ts";
import type { Streams } from "./streams.ts";
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
  if (global.flags.version) {
    await streams.stdout.write(`Berth version ${VERSION}, build ${buildCommit()}\n`);
    return 0;
  }
  const wantsHelp = global.help || global.args[0] === "help";
  const words = global.args[0] === "help" ? global.args.slice(1) : global.args;
  const resolution = resolveCommand(COMMANDS, words);
  switch (resolution.kind) {
    case "root":
      await streams.stdout.write(rootHelp(COMMANDS, GLOBAL_FLAGS, columnsOf(streams)));
      return 0;
    case "group":
      return runGroup(resolution, streams);
    case "unknown":
      if (wantsHelp) throw new StatusError(1, `unknown help topic: ${words.join(" ")}`);
      throw unknownCommandError(COMMANDS.program, resolution);
    case "command":
      return runCommand(resolution, wantsHelp, global, streams);
  }
}

function readGlobalFlags(argv: readonly string[]): ParsedFlags<typeof GLOBAL_FLAGS> {
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

async function runGroup(group: Extract<Resolution, { kind: "group" }>, streams: Streams): Promise<number> {
  const usage = `Usage:  ${group.path} COMMAND`;
  try {
    parseFlags({}, group.rest);
  } catch (error) {
    throw flagError(errorMessage(error), group.path, usage);
  }
  await streams.stdout.write(groupHelp(group.path, group.group));
  return 0;
}

async function runCommand(
  resolved: Extract<Resolution, { kind: "command" }>,
  wantsHelp: boolean,
  global: ParsedFlags<typeof GLOBAL_FLAGS>,
  streams: Streams,
): Promise<number> {
  const command = await resolved.leaf.load();
  const parsed = wantsHelp ? undefined : readCommandFlags(command, resolved);
  if (!parsed || parsed.help) {
    await streams.stdout.write(commandHelp(COMMANDS.program, resolved.path, command, columnsOf(streams)));
    return 0;
  }
  const { least, most } = command.arguments;
  if (parsed.args.length < least || parsed.args.length > most) throw argumentsError(resolved.path, command);
  return command.run(parsed, createContext(global, streams));
}

function readCommandFlags(
  command: Command,
  resolved: Extract<Resolution, { kind: "command" }>,
): ParsedFlags<Command["flags"]> {
  try {
    return parseFlags(command.flags, resolved.rest, { stopAtFirstArgument: command.stopAtFirstArgument ?? false });
  } catch (error) {
    if (!(error instanceof InvalidParameterError)) throw error;
    throw flagError(error.message, resolved.path, `Usage:  ${resolved.path} ${command.usage}`);
  }
}

function createContext({ flags: global, given }: ParsedFlags<typeof GLOBAL_FLAGS>, streams: Streams): CommandContext {
  if (global.host.length > 1) throw new InvalidParameterError("Specify only one -H");
  if (global.context !== "" && global.context !== "default") {
    throw new InvalidParameterError(
      `context "${global.context}": context not found: Berth has the context "default" only`,
    );
  }
  const { env } = process;
  const configDirectory = global.config || env["DOCKER_CONFIG"] || join(homedir(), ".docker");
  const endpoint = resolveEndpoint(global.host[0], env, clientTls(global, given, env, configDirectory));
  const engine = new HttpEngine(endpoint, {
    apiVersion: env["DOCKER_API_VERSION"],
    startEngine: async () => {
      const { startEngine } = await import("./start-engine.ts");
      await startEngine(streams.stderr);
    },
  });
  return {
    engine,
    streams,
    environment: env,
    configDirectory,
    workingDirectory: process.cwd(),
    debug: global.debug,
    get signal(): AbortSignal {
      return interruptSignal();
    },
  };
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
