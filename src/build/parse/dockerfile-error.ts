import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import type { SourceRange } from "./source.ts";

/** A fault in the Dockerfile, with its place, so that the client can show the lines. Lines are 1-based and inclusive. */
export class DockerfileError extends InvalidParameterError {
  readonly startLine: number;
  readonly endLine: number;
  /** All physical lines of the Dockerfile where they are known: `sourceFrame` cuts the extract. */
  readonly sourceLines: readonly string[] | undefined;

  constructor(message: string, source: SourceRange, options: { lines?: readonly string[]; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.startLine = source.startLine;
    this.endLine = source.endLine;
    this.sourceLines = options.lines;
  }
}

/** Runs `work`; an InvalidParameterError without a place leaves it as a DockerfileError at `source`. */
export function atSource<T>(source: SourceRange, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof InvalidParameterError && !(error instanceof DockerfileError)) {
      throw new DockerfileError(errorMessage(error), source, { cause: error });
    }
    throw error;
  }
}
