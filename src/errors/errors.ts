/**
 * The closed set of errors that Berth throws on purpose. Every layer throws only these; callers match on `code`, never on
 * text. `server/error-status.ts` is the one place that maps a code to an HTTP status.
 */
export type ErrorCode =
  | "not-found"
  | "conflict"
  | "invalid-parameter"
  | "not-modified"
  | "unauthorized"
  | "forbidden"
  | "not-implemented"
  | "unavailable"
  | "data-loss"
  | "cancelled"
  | "system";

/** Base of all intended errors. `message` is shown to users as it stands. */
export abstract class BerthError extends Error {
  abstract readonly code: ErrorCode;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The named thing does not exist. */
export class NotFoundError extends BerthError {
  readonly code = "not-found";
}

/** The thing exists but its state, or another thing, forbids the call. */
export class ConflictError extends BerthError {
  readonly code = "conflict";
}

/** The caller's input breaks a rule; the message names the value and the rule. */
export class InvalidParameterError extends BerthError {
  readonly code = "invalid-parameter";
}

/** A value in a document from outside has another type than its place asks for. */
export class WrongTypeError extends InvalidParameterError {
  /** Its place: `HostConfig.Binds[0]`; "" for the document as a whole. */
  readonly path: string;
  /** The type that was expected, as Go names it, because Docker's clients know that: `int64`. */
  readonly goType: string;
  /** What was there instead, as Go's encoding/json names it: `number 0.5`. */
  readonly goValue: string;

  constructor(message: string, details: { readonly path: string; readonly goType: string; readonly goValue: string }) {
    super(message);
    this.path = details.path;
    this.goType = details.goType;
    this.goValue = details.goValue;
  }
}

/** The call would change nothing (start of a running container). */
export class NotModifiedError extends BerthError {
  readonly code = "not-modified";
}

/** Missing or wrong credentials. */
export class UnauthorizedError extends BerthError {
  readonly code = "unauthorized";
}

/** Known caller, forbidden action. */
export class ForbiddenError extends BerthError {
  readonly code = "forbidden";
}

/** Docker has it, Berth does not (yet). */
export class NotImplementedError extends BerthError {
  readonly code = "not-implemented";
}

/** Something outside Berth does not answer: a registry, a helper program, the network. */
export class UnavailableError extends BerthError {
  readonly code = "unavailable";
}

/** Bytes do not match their digest, size or format. */
export class DataLossError extends BerthError {
  readonly code = "data-loss";
}

/** The caller went away or aborted. */
export class CancelledError extends BerthError {
  readonly code = "cancelled";
}

/** The kernel or a child process failed in a way that the caller did not cause. */
export class SystemError extends BerthError {
  readonly code = "system";
}

/**
 * Begins the text of an intended error with the thing that it is about (`kind` and `name`), unless the name is in it already, and
 * returns the error. For layers that know what they work on, above those that know what is wrong. Anything but a BerthError comes
 * back as it is.
 */
export function aboutSubject(kind: string, name: string, error: unknown): unknown {
  if (error instanceof BerthError && error.code !== "cancelled" && !error.message.includes(name)) {
    error.message = `${kind} ${name}: ${error.message}`;
  }
  return error;
}

/** The text of any thrown value. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of any thrown value: a {@link BerthError}'s own, a Node system error's ("ENOENT"), or undefined. */
export function errorCode(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
