import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { errorCode, SystemError } from "#errors/errors.ts";
import { LineSplitter } from "#lib/line-splitter.ts";
import { childExit, SAFE_PATH, startChild } from "#sys/command.ts";
import type { BundleFiles } from "./bundle-files.ts";
import type { ContainerSpec } from "./container-runtime.ts";
import type { LowLevelRuntime } from "./oci/low-level-runtime.ts";
import { lastLoggedError, runtimeError } from "./runtime-errors.ts";

/** The descriptor of conmon's that tells the container's pid, or what went wrong. */
const SYNC_FD = 3;
/** More of conmon's complaints than anybody reads. */
const LONGEST_COMPLAINT = 16 * 1024;

export interface ConmonLaunch {
  /** Path of the program. */
  readonly conmon: string;
  readonly runtime: LowLevelRuntime;
  readonly exitDirectory: string;
  readonly socketDirectory: string;
  readonly bundle: BundleFiles;
  readonly spec: ContainerSpec;
}

/**
 * Starts conmon, which detaches itself into its own session and creates the container from the bundle. Resolves with the pid of the
 * container's process, which waits for `start`. Throws StartError or SystemError with the runtime's words.
 */
export async function launchConmon(launch: ConmonLaunch): Promise<number> {
  const { conmon: path } = launch;
  const child = startChild(path, conmonArguments(launch), {
    // detached: a Ctrl-C for the engine's terminal must not reach conmon before it has left the session.
    detached: true,
    // conmon leaves a file "oom" in its working directory, wherever that is, besides the one in --persist-dir.
    cwd: launch.bundle.directory,
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    env: { PATH: SAFE_PATH, _OCI_SYNCPIPE: String(SYNC_FD) },
  });
  const sync = child.stdio[SYNC_FD];
  const ended = childExit(child, path);
  const complaint = collectSome(child.stderr);
  try {
    const report = sync instanceof Readable ? await firstReport(sync) : undefined;
    if (report && report.pid > 0) return report.pid;
    const said = report?.message || lastLoggedError(await readLog(launch.bundle.runtimeLog));
    if (said) throw runtimeError("create", said, launch.spec.args[0]);
    const exitCode = await ended;
    throw new SystemError(
      `conmon ended with exit code ${exitCode} before it created the container: ${await complaint}`,
    );
  } finally {
    ended.catch(() => undefined);
    sync?.destroy();
    child.stderr?.destroy();
  }
}

/** https://github.com/containers/conmon/blob/main/docs/conmon.8.md */
function conmonArguments(launch: ConmonLaunch): string[] {
  const { runtime, bundle, spec } = launch;
  const runtimeArguments = [...runtime.globalArgs, "--log", bundle.runtimeLog, "--log-format", "json"];
  return [
    ...["--api-version", "1", "--cid", spec.id, "--cuuid", spec.id, "--name", spec.id],
    ...["--runtime", runtime.program.path, ...runtimeArguments.map((argument) => `--runtime-arg=${argument}`)],
    ...["--bundle", bundle.directory, "--container-pidfile", bundle.pidFile, "--conmon-pidfile", bundle.conmonPidFile],
    ...["--exit-dir", launch.exitDirectory, "--persist-dir", bundle.directory],
    ...["--socket-dir-path", launch.socketDirectory, "--log-path", `k8s-file:${spec.logPath}`],
    // An fsync of the log at each exit costs more than the container; a log is not a promise.
    "--no-sync-log",
    ...(spec.terminal ? ["--terminal"] : []),
    ...(spec.openStdin ? ["--stdin"] : []),
    // With a terminal end-of-file is a character (Ctrl-D), not the end of a connection.
    ...(spec.openStdin && (!spec.stdinOnce || spec.terminal) ? ["--leave-stdin-open"] : []),
  ];
}

interface SyncReport {
  /** -1 when the container could not be created; `message` says why. */
  readonly pid: number;
  readonly message?: string;
}

/** conmon's first word: a line of JSON. Undefined when it ended without one. */
async function firstReport(sync: Readable): Promise<SyncReport | undefined> {
  const splitter = new LineSplitter();
  for await (const chunk of sync) {
    const [line] = splitter.push(chunk);
    if (line) return parseReport(line.toString("utf8"));
  }
  const rest = splitter.flush();
  return rest ? parseReport(rest.toString("utf8")) : undefined;
}

/** conmon calls the pid "pid" before API version 1 and "data" from then on. */
function parseReport(line: string): SyncReport {
  const value: { readonly data?: number; readonly pid?: number; readonly message?: string } = JSON.parse(line);
  return { pid: value.data ?? value.pid ?? -1, ...(value.message === undefined ? {} : { message: value.message }) };
}

async function collectSome(stream: Readable | null): Promise<string> {
  let text = "";
  try {
    for await (const chunk of stream ?? []) if (text.length < LONGEST_COMPLAINT) text += String(chunk);
  } catch {
    // The stream is destroyed when the launch is over.
  }
  return text.trim();
}

async function readLog(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}
