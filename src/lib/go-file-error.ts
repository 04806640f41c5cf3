import { errorCode, errorMessage } from "#errors/errors.ts";

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  ENOTDIR: "not a directory",
  EISDIR: "is a directory",
  EACCES: "permission denied",
  ELOOP: "too many levels of symbolic links",
};

/** What Go, and docker with it, says of a call on a file that failed: `open /nope: no such file or directory`. */
export function goFileError(call: string, path: string, cause: unknown): string {
  return `${call} ${path}: ${WORDS[errorCode(cause) ?? ""] ?? errorMessage(cause)}`;
}
