import { type BerthError, SystemError } from "#errors/errors.ts";
import { StartError } from "./start-error.ts";

/**
 * The words by which Docker tells the exit code of a command that could not be run, in this order.
 * https://github.com/moby/moby/blob/master/daemon/errors.go (setExitCodeFromError)
 */
const EXIT_CODES: readonly { readonly words: string; readonly exitCode: 126 | 127 }[] = [
  { words: "executable file not found", exitCode: 127 },
  { words: "no such file or directory", exitCode: 127 },
  { words: "system cannot find the file specified", exitCode: 127 },
  { words: "not a directory", exitCode: 127 },
  { words: "permission denied", exitCode: 126 },
  { words: "is a directory", exitCode: 126 },
];

const MOUNT_HINT =
  "Are you trying to mount a directory onto a file (or vice-versa)? " +
  "Check if the specified host path exists and is the expected type";

export type RuntimeAction = "create" | "start" | "exec" | "update" | "pause" | "resume" | "delete";

/**
 * The error for what runc or crun said about a failed create or exec, in Docker's words: StartError (126, 127) when the command cannot
 * be run, SystemError otherwise. `action` is what the runtime was asked for, `command` the program that was to run.
 */
export function runtimeError(action: RuntimeAction, said: string, command: string = ""): BerthError {
  const words = inRuncsWords(said.trim(), command) || "the runtime ended without a word";
  const message = `OCI runtime ${action} failed: ${words}: unknown`;
  const isMountMismatch = /mount/.test(words) && words.toLowerCase().includes("not a directory");
  const known = EXIT_CODES.find((entry) => words.toLowerCase().includes(entry.words));
  if (!known) return new SystemError(message);
  return new StartError(isMountMismatch ? `${message}: ${MOUNT_HINT}` : message, known.exitCode);
}

/** Clients know the words of runc for a command that is not there, or is none; crun has others, and does not always say which. */
function inRuncsWords(said: string, command: string): string {
  const missing = /^executable file `(.*)` not found in \$PATH: No such file or directory$/s.exec(said)?.[1];
  if (missing !== undefined) {
    const reason = missing.includes("/")
      ? `stat ${missing}: no such file or directory`
      : "executable file not found in $PATH";
    return `unable to start container process: exec: "${missing}": ${reason}`;
  }
  return /^open executable: (Operation not permitted|Permission denied)$/.test(said)
    ? `unable to start container process: exec: "${command}": permission denied`
    : said;
}

/** The last error in a runtime's log (`--log-format json`: an object a line); "" when there is none. */
export function lastLoggedError(log: string): string {
  const errors = log.split("\n").flatMap((line) => {
    try {
      const entry: unknown = JSON.parse(line);
      return isLogEntry(entry) && entry.level === "error" ? [entry.msg] : [];
    } catch {
      return [];
    }
  });
  return errors.at(-1) ?? "";
}

function isLogEntry(value: unknown): value is { readonly level: string; readonly msg: string } {
  return (
    typeof value === "object" && value !== null && "level" in value && "msg" in value && typeof value.msg === "string"
  );
}
