import { BerthError, type ErrorCode, UnavailableError } from "#errors/errors.ts";
import { type Endpoint, formatEndpoint } from "./connection/endpoint.ts";

const CODES: Readonly<Record<number, ErrorCode>> = {
  304: "not-modified",
  400: "invalid-parameter",
  401: "unauthorized",
  403: "forbidden",
  404: "not-found",
  409: "conflict",
  501: "not-implemented",
  503: "unavailable",
};

/** The engine refused a request. `message` carries Docker's prefix, which scripts look for; `reason` is the engine's own text. */
export class EngineError extends BerthError {
  readonly code: ErrorCode;
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string) {
    super(`Error response from daemon: ${reason}`);
    this.code = CODES[status] ?? "system";
    this.status = status;
    this.reason = reason;
  }
}

/** Nobody answers at the engine's address. The text is Docker's: scripts wait for an engine by looking for it. */
export class EngineUnreachableError extends UnavailableError {}

/** What to tell the user when the connection to `endpoint` failed with `cause`. */
export function unreachable(endpoint: Endpoint, cause: unknown, code: string | undefined): EngineUnreachableError {
  const address = formatEndpoint(endpoint);
  const text =
    code === "EACCES" || code === "EPERM"
      ? `permission denied while trying to connect to the Docker daemon socket at ${address}: you need to be root or a member of the socket's group`
      : `Cannot connect to the Docker daemon at ${address}. Is the docker daemon running?`;
  return new EngineUnreachableError(text, { cause });
}

/** Whether `error` means "no such thing" from the engine. */
export function isNotFound(error: unknown): boolean {
  return error instanceof EngineError && error.code === "not-found";
}
