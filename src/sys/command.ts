import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { constants } from "node:os";
import { CancelledError, errorCode, errorMessage, SystemError, UnavailableError } from "#errors/errors.ts";

/** What a finished child left. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Text or bytes for the child's standard input; none by default. */
  readonly input?: string | Uint8Array;
  /** The child's whole environment. Default: only PATH; nothing of the engine's reaches children. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** A process group of its own, which an abort kills as a whole: for programs that start others. */
  readonly group?: boolean;
  /** Called with the child's process id once it is started. */
  readonly onStart?: (pid: number) => void;
  /** Exit codes that count as success. Default [0]. */
  readonly okCodes?: readonly number[] | "any";
}

/** What children find their programs with. */
export const SAFE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Output kept of a child, per stream; the rest is read and dropped. */
const MAX_OUTPUT = 1024 * 1024;

/**
 * Runs a program to its end, arguments as an array, never through a shell.
 * Throws UnavailableError when the program is not installed, SystemError (with its stderr) when it ends with a code that is
 * not in `okCodes`, CancelledError when `signal` aborts (the child is killed first).
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  if (options.signal?.aborted) throw new CancelledError(`cancelled: ${program}`);
  const child = startChild(program, args, {
    ...(options.env ? { env: { PATH: SAFE_PATH, ...options.env } } : {}),
    ...(options.cwd ? { cwd: options.cwd } : {}),
    detached: options.group ?? false,
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  if (child.pid !== undefined) options.onStart?.(child.pid);
  const onAbort = (): void => {
    child.kill("SIGKILL");
    if (options.group && child.pid !== undefined) killGroup(child.pid);
  };
  options.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    child.stdin?.on("error", () => undefined).end(options.input);
    const [stdout, stderr, exitCode] = await Promise.all([
      collect(child.stdout),
      collect(child.stderr),
      childExit(child, program),
    ]);
    if (options.signal?.aborted) throw new CancelledError(`cancelled: ${program}`);
    const { okCodes = [0] } = options;
    if (okCodes !== "any" && !okCodes.includes(exitCode)) {
      throw new SystemError(
        `${program} ${args[0] ?? ""} failed with exit code ${exitCode}: ${stderr.trim() || stdout.trim() || "no output"}`,
      );
    }
    return { exitCode, stdout, stderr };
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

/** Starts a program with a clean environment. The caller owns the child: its streams and its end. */
export function startChild(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn(program, [...args], { env: { PATH: SAFE_PATH }, ...options });
}

/** Resolves with the exit code (128 + signal number for a signal). Throws UnavailableError when the program cannot start. */
export function childExit(child: ChildProcess, program: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) =>
      reject(new UnavailableError(`cannot run ${program}: ${startProblem(cause)}`, { cause })),
    );
    child.once("close", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

function startProblem(cause: unknown): string {
  const code = errorCode(cause);
  if (code === "ENOENT") return "is it installed?";
  if (code === "EMFILE" || code === "ENFILE")
    return "too many open files: raise the engine's limit (ulimit -n, LimitNOFILE)";
  return errorMessage(cause);
}

async function collect(stream: NodeJS.ReadableStream | null): Promise<string> {
  if (!stream) return "";
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    if (size < MAX_OUTPUT) chunks.push(bytes);
    size += bytes.length;
  }
  return Buffer.concat(chunks).toString("utf8");
}
