import { userMessage } from "#errors/disk-full.ts";
import { BerthError, CancelledError, type ErrorCode } from "#errors/errors.ts";
import { sourceFrame } from "#formats/source-frame.ts";
import type { BuildFailure } from "#spec/solve-status.ts";
import type { SourceRange } from "./parse/source.ts";

/** What {@link DockerfileBuilder.build} rejects with: `failure` is all that a client prints. */
export class BuildError extends BerthError {
  readonly code: ErrorCode;
  readonly failure: BuildFailure;
  /** The whole Dockerfile, where it could be read: BuildKit's clients cut out the lines themselves. */
  readonly definition: DockerfileText | undefined;

  constructor(failure: BuildFailure, code: ErrorCode, options: { cause: unknown; definition?: DockerfileText }) {
    super(failure.message, { cause: options.cause });
    this.code = code;
    this.failure = failure;
    this.definition = options.definition;
  }
}

/** An error that knows its place: the lines of the Dockerfile, and for a step the vertex and what it printed last. */
export class LocatedError extends BerthError {
  readonly code: ErrorCode;
  readonly place: ErrorPlace;

  constructor(message: string, code: ErrorCode, place: ErrorPlace, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.place = place;
  }
}

export interface ErrorPlace {
  readonly source?: SourceRange;
  readonly vertexName?: string;
  readonly tail?: readonly string[];
  readonly exitCode?: number;
  readonly step?: NonNullable<BuildFailure["step"]>;
}

/** The Dockerfile as error frames quote it. */
export interface DockerfileText {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Adds `place` to an error that has none of its own for a part; aborts stay as they are. */
export function locate(error: unknown, place: ErrorPlace): BerthError {
  if (error instanceof CancelledError || (error instanceof Error && error.name === "AbortError")) {
    return error instanceof CancelledError ? error : new CancelledError("context canceled", { cause: error });
  }
  const known = placeOf(error);
  return new LocatedError(userMessage(error), codeOf(error), { ...place, ...known }, error);
}

/** The error that leaves the builder. `text` is undefined while the Dockerfile could not even be read. */
export function toBuildError(error: unknown, text: DockerfileText | undefined): BuildError | CancelledError {
  if (error instanceof BuildError || error instanceof CancelledError) return error;
  const place = placeOf(error);
  const failure: BuildFailure = {
    message: `failed to solve: ${userMessage(error)}`,
    ...(place.exitCode === undefined ? {} : { code: place.exitCode }),
    ...(place.vertexName === undefined ? {} : { vertexName: place.vertexName }),
    ...(place.tail === undefined ? {} : { tail: place.tail }),
    ...(place.step === undefined ? {} : { step: place.step }),
    ...(place.source && text ? { source: frame(place.source, text) } : {}),
  };
  return new BuildError(failure, codeOf(error), { cause: error, ...(text ? { definition: text } : {}) });
}

function frame(source: SourceRange, text: DockerfileText): NonNullable<BuildFailure["source"]> {
  const { startLine, endLine } = source;
  return { filename: text.name, startLine, endLine, ...sourceFrame(text.lines, source) };
}

function placeOf(error: unknown): ErrorPlace {
  if (error instanceof LocatedError) return error.place;
  const range = error as Partial<SourceRange> | null;
  return typeof range === "object" && typeof range?.startLine === "number" && typeof range.endLine === "number"
    ? { source: { startLine: range.startLine, endLine: range.endLine } }
    : {};
}

function codeOf(error: unknown): ErrorCode {
  return error instanceof BerthError ? error.code : "system";
}
