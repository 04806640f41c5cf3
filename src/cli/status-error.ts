import { BerthError, type ErrorCode } from "#errors/errors.ts";

/** Ends the command with an exit code other than 1, and a message for stderr (none when empty). */
export class StatusError extends BerthError {
  readonly code: ErrorCode = "invalid-parameter";
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
