import { once } from "node:events";
import type { Readable } from "node:stream";
import { CancelledError } from "#errors/errors.ts";
import { childExit, startChild } from "#sys/command.ts";
import { type BundleFiles, readIfThere } from "./bundle-files.ts";
import { ComplaintFilter } from "./complaint-filter.ts";
import type { OutputSink } from "./container-runtime.ts";
import type { LowLevelRuntime } from "./oci/low-level-runtime.ts";
import { lastLoggedError, runtimeError } from "./runtime-errors.ts";

/** Bytes of output between two turns of the event loop. */
const SHARE = 256 * 1024;

export interface RunOnce {
  readonly id: string;
  readonly files: BundleFiles;
  readonly runtime: LowLevelRuntime;
  readonly output: OutputSink;
  readonly signal: AbortSignal;
  /** Kills every process of the container. */
  readonly killAll: () => void;
}

/**
 * Runs a bundle to its end as a child of the engine and gives its exit code. On abort everything is killed at once and CancelledError
 * thrown. Throws StartError or SystemError when the command could not be run. Leaves no cgroup, no runtime state.
 */
export async function runBundleOnce(run: RunOnce): Promise<number> {
  const { runtime, files, id, signal } = run;
  signal.throwIfAborted();
  const args = [...runtime.globalArgs, "--log", files.runtimeLog, "--log-format", "json"];
  const child = startChild(runtime.program.path, [...args, "run", "--bundle", files.directory, id], {
    stdio: ["ignore", "pipe", "pipe"],
    // Its own process group: a Ctrl-C at the engine's terminal is not for it.
    detached: true,
  });
  const stderr = new ComplaintFilter();
  child.stderr?.pipe(stderr, { end: false });
  const copied = Promise.all([
    forward(child.stdout, (bytes) => run.output.stdout(bytes)),
    forward(stderr, (bytes) => run.output.stderr(bytes)),
  ]);
  const onAbort = (): void => {
    child.kill("SIGKILL");
    run.killAll();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const exitCode = await childExit(child, runtime.program.path);
    if (signal.aborted) throw new CancelledError(`cancelled: container ${id.slice(0, 12)}`);
    const said = exitCode === 0 ? "" : lastLoggedError(readIfThere(files.runtimeLog) ?? "");
    stderr.decide(said ? new Uint8Array() : undefined);
    await copied;
    // `run` creates and starts in one: Docker's words name the first.
    if (said) throw runtimeError("create", said.replace(/^runc run failed/, "runc create failed"));
    return exitCode;
  } finally {
    signal.removeEventListener("abort", onAbort);
    stderr.destroy();
    if (runtime.has(id)) {
      run.killAll();
      await runtime.delete(id);
    }
  }
}

/**
 * Hands the output on. A command that prints without end always has more to read: after each share everybody else gets a turn, or the
 * engine would neither hear that the client has gone nor do anything else.
 */
async function forward(stream: Readable | null, receive: (bytes: Uint8Array) => void): Promise<void> {
  if (!stream) return;
  let read = 0;
  stream.on("data", (bytes: Uint8Array) => {
    receive(bytes);
    read += bytes.length;
    if (read < SHARE) return;
    read = 0;
    stream.pause();
    setImmediate(() => stream.resume());
  });
  await Promise.race([once(stream, "end"), once(stream, "close")]);
}
