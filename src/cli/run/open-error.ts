import { errorCode, errorMessage } from "#errors/errors.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "is a directory",
  ENOTDIR: "not a directory",
};

/** What Go says when a file cannot be opened, and docker with it. */
export function openError(path: string, cause: unknown): string {
  return `open ${path}: ${REASONS[errorCode(cause) ?? ""] ?? errorMessage(cause)}`;
}
