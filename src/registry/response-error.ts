import { STATUS_CODES } from "node:http";
import {
  BerthError,
  ForbiddenError,
  InvalidParameterError,
  NotFoundError,
  UnauthorizedError,
  UnavailableError,
} from "#errors/errors.ts";
import { parseChallenges } from "./challenge.ts";
import { requestLine, TransientError } from "./connection-error.ts";
import type { RegistryRequest } from "./transport.ts";

/** Error bodies are read no further than this, bytes. */
const MAX_ERROR_BODY = 64 * 1024;

/**
 * One of a registry's own errors. `code` in lower case with spaces and the message make the text, as Docker prints it.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
 */
export interface RegistryProblem {
  /** `MANIFEST_UNKNOWN`, `DENIED`; `STATUS_nnn` when the body told none. */
  readonly code: string;
  readonly message: string;
}

const STANDARD_MESSAGES: Readonly<Record<string, string>> = {
  UNAUTHORIZED: "authentication required",
  DENIED: "requested access to the resource is denied",
};

/** Reads the error that a response of status 400 or more stands for. Consumes the body. */
export async function responseProblem(response: Response): Promise<RegistryProblem> {
  const body = await readBounded(response, MAX_ERROR_BODY, "error").catch(() => new Uint8Array());
  // Docker Hub answers 401 for repositories that do not exist; the header tells that from a missing login.
  const bearer = parseChallenges(response.headers.get("www-authenticate") ?? "").find((c) => c.scheme === "bearer");
  if (response.status === 401 && bearer?.parameters["error"] === "insufficient_scope") return problem("DENIED");
  return parseBody(new TextDecoder().decode(body)) ?? fallback(response.status);
}

/** A problem in Docker's words: `manifest unknown: manifest unknown`. */
export function problemText(found: RegistryProblem): string {
  const { code, message } = found;
  return isWordless(found) ? message : `${code.toLowerCase().replaceAll("_", " ")}: ${message}`;
}

/** The error to throw for a failed response where no better words fit the case. */
export function responseError(
  request: Pick<RegistryRequest, "method" | "url">,
  response: Response,
  found: RegistryProblem,
): BerthError {
  const { status } = response;
  // Without words of the registry's the request tells more than the status.
  const text = isWordless(found) ? `${requestLine(request)}: ${found.message}` : problemText(found);
  const cause = { cause: found };
  if (status === 401) return new UnauthorizedError(`${requestLine(request)}: ${text}`, cause);
  if (status === 403) return new ForbiddenError(text, cause);
  if (status === 404) return new NotFoundError(text, cause);
  if (status === 429 || (status >= 500 && status !== 501)) {
    return new TransientError(text, { ...cause, retryAfter: retryAfter(response.headers.get("retry-after")) });
  }
  return status < 500 ? new InvalidParameterError(text, cause) : new UnavailableError(text, cause);
}

/** What the registry said, of an error that `responseError` made; undefined for any other. */
export function problemOf(error: unknown): RegistryProblem | undefined {
  const cause = error instanceof BerthError ? error.cause : undefined;
  const isProblem = typeof cause === "object" && cause !== null && "code" in cause && "message" in cause;
  return isProblem && !(cause instanceof Error) ? (cause as RegistryProblem) : undefined;
}

/** A Retry-After header (seconds or a date) as a wait in ms. https://www.rfc-editor.org/rfc/rfc9110#name-retry-after */
export function retryAfter(header: string | null, now: number = Date.now()): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** Reads the body of `what` to its end. Throws InvalidParameterError when it is longer than `limit` bytes. */
export async function readBounded(response: Response, limit: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > limit) throw new InvalidParameterError(`${what}: larger than the limit of ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseBody(text: string): RegistryProblem | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const body = parsed as { errors?: { code?: unknown; message?: unknown }[]; details?: unknown } | null;
  const first = Array.isArray(body?.errors) ? body.errors[0] : undefined;
  if (typeof first?.code === "string") return problem(first.code, first.message);
  // Token servers answer {"details": "incorrect username or password"}.
  return typeof body?.details === "string" ? problem("UNAUTHORIZED", body.details) : undefined;
}

function problem(code: string, message?: unknown): RegistryProblem {
  const text = typeof message === "string" && message !== "" ? message : STANDARD_MESSAGES[code];
  return { code, message: (text ?? code.toLowerCase().replaceAll("_", " ")).slice(0, 1024) };
}

function fallback(status: number): RegistryProblem {
  if (status === 401) return problem("UNAUTHORIZED");
  if (status === 403) return problem("DENIED");
  if (status === 429) return problem("TOOMANYREQUESTS", "too many requests");
  const words = STATUS_CODES[status] ?? "";
  return { code: `STATUS_${status}`, message: `received unexpected HTTP status: ${status} ${words}`.trimEnd() };
}

function isWordless({ code }: RegistryProblem): boolean {
  return code.startsWith("STATUS_");
}
