/** How `run`, `create` and `start` fail. https://github.com/docker/cli/blob/v28.2.2/cli/command/container/run.go (toStatusError) */
import { EngineError } from "#client/engine-error.ts";
import { CancelledError, errorMessage } from "#errors/errors.ts";
import { PROGRAM } from "../program.ts";
import { StatusError } from "../status-error.ts";

const NOT_FOUND = ["executable file not found", "no such file or directory"];
const NOT_EXECUTABLE = ["permission denied", "is a directory"];

/** An error before the container could run: exit code 125, and where the help is. */
export function withHelp(error: unknown, command: string): StatusError {
  return helpText(error, command, 125);
}

/** An error of starting it: the message tells whether the command was missing (127), not executable (126) or else (125). */
export function startError(error: unknown, command: string): StatusError {
  const text = errorMessage(error).toLowerCase();
  const isEngines = error instanceof EngineError;
  if (isEngines && NOT_FOUND.some((part) => text.includes(part))) return helpText(error, command, 127);
  if (isEngines && NOT_EXECUTABLE.some((part) => text.includes(part))) return helpText(error, command, 126);
  return helpText(error, command, 125);
}

function helpText(error: unknown, command: string, exitCode: number): StatusError {
  // Who has gone away, or pressed Ctrl-C, needs no help with the command.
  if (error instanceof CancelledError) throw error;
  if (error instanceof StatusError) return error;
  const message = `${PROGRAM}: ${errorMessage(error)}\n\nRun '${PROGRAM} ${command} --help' for more information`;
  return new StatusError(exitCode, message, { cause: error });
}
