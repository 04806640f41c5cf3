import { InvalidParameterError } from "#errors/errors.ts";

/** 126: the command was found but cannot be run; 127: it was not found. */
export type StartExitCode = 126 | 127;

/** The user's command cannot be run. The message is Docker's; the exit code is what `run` and `exec` end with. */
export class StartError extends InvalidParameterError {
  readonly exitCode: StartExitCode;

  constructor(message: string, exitCode: StartExitCode, options?: { cause?: unknown }) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
