import { userMessage } from "#errors/disk-full.ts";
import { BerthError, type ErrorCode } from "#errors/errors.ts";

/** The one place where an error becomes an HTTP status, as moby's httpstatus does. Cases are added nowhere else. */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  "not-found": 404,
  conflict: 409,
  "invalid-parameter": 400,
  "not-modified": 304,
  unauthorized: 401,
  forbidden: 403,
  "not-implemented": 501,
  unavailable: 503,
  "data-loss": 500,
  cancelled: 499,
  system: 500,
};

/** Status and body of an error's answer. Anything that is not a BerthError is a bug: 500, with its text. */
export function errorAnswer(error: unknown): { readonly status: number; readonly body: { readonly message: string } } {
  const status = error instanceof BerthError ? STATUS[error.code] : 500;
  return { status, body: { message: userMessage(error) } };
}
