import type { Engine } from "#client/engine.ts";
import type { ContextSelection } from "../context/context-selection.ts";
import type { Streams } from "../streams.ts";
import type { ArgumentRule } from "./argument-rule.ts";
import type { FlagSet, FlagValues } from "./flag.ts";

/** What the user typed, read. */
export interface Invocation<F extends FlagSet = FlagSet> {
  readonly flags: FlagValues<F>;
  readonly given: ReadonlySet<string>;
  readonly args: readonly string[];
}

/** What a command may use of the world around it. */
export interface CommandContext {
  readonly engine: Engine;
  readonly streams: Streams;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Directory of `config.json`. */
  readonly configDirectory: string;
  readonly workingDirectory: string;
  /** Which engine the command line means. */
  readonly selection: ContextSelection;
  /** Aborts when the user interrupts and the command does not pass signals on. */
  readonly signal: AbortSignal;
  /** `--debug`. */
  readonly debug: boolean;
}

/** One command, whichever way it is spelled: `berth run`, `berth container run`. */
export interface Command<F extends FlagSet = FlagSet> {
  /** Behind the command's name: `[OPTIONS] IMAGE [COMMAND] [ARG...]`. */
  readonly usage: string;
  readonly about: string;
  /** All full spellings without the program's name, as the help lists them. None when there is one only. */
  readonly spellings?: readonly string[];
  readonly arguments: ArgumentRule;
  /** Flags behind the first argument belong to somebody else. */
  readonly stopAtFirstArgument?: boolean;
  /** Refuses whatever it is given, so that no flag of it is unknown. */
  readonly takesAnything?: boolean;
  /** Speaks to no engine: an address that cannot be resolved does not stop it. */
  readonly offline?: boolean;
  readonly flags: F;
  /** The exit code. */
  run(invocation: Invocation<F>, context: CommandContext): Promise<number>;
}

/** Gives a command's `run` the types of its flags. */
export function defineCommand<const F extends FlagSet>(command: Command<F>): Command<F> {
  return command;
}
