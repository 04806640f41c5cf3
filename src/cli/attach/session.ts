/** A container's streams joined to the client's, until either side has had enough. */
import type { EngineStream } from "#client/engine.ts";
import { DetachFilter, parseDetachKeys } from "#formats/detach-keys.ts";
import { StdcopyReader } from "#formats/stdcopy.ts";
import { exitOnSignals } from "../interrupt.ts";
import type { Output, Streams } from "../streams.ts";

export interface SessionOptions {
  /** The container has a terminal: its output is one raw stream. */
  readonly tty: boolean;
  /** Pass the client's stdin on. */
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly detachKeys: string;
}

export type SessionEnd = "ended" | "detached";

/**
 * Passes bytes both ways until the output ends or the user types the detach keys. With a terminal at both ends the client's is
 * raw meanwhile, and is restored however this ends, even by the process's exit.
 */
export async function runSession(stream: EngineStream, streams: Streams, options: SessionOptions): Promise<SessionEnd> {
  const restore = options.stdin && options.tty ? makeRaw(streams) : () => undefined;
  try {
    const output = copyOutput(stream.output, streams, options).then((): SessionEnd => "ended");
    if (!options.stdin) return await output;
    // The end of stdin is not the end of the session; its detach keys are.
    const detached = copyInput(stream, streams, options);
    return await Promise.race([output, detached.then((keys) => (keys ? "detached" : output))]);
  } finally {
    restore();
    stream.destroy();
  }
}

/** Writes a container's output to the two streams, or raw when it comes from a terminal. */
export async function copyOutput(
  output: AsyncIterable<Buffer>,
  streams: Pick<Streams, "stdout" | "stderr">,
  options: Pick<SessionOptions, "tty" | "stdout" | "stderr">,
): Promise<void> {
  if (options.tty) {
    for await (const bytes of output) if (options.stdout) await streams.stdout.write(bytes);
    return;
  }
  const frames = new StdcopyReader();
  for await (const bytes of output) {
    for (const run of joinPieces(frames.push(bytes))) {
      const target = targetOf(run.stream, streams, options);
      if (target) await target.write(run.bytes);
    }
  }
  frames.end();
}

/** Neighbouring pieces of one stream become one write: a log of short lines is not a system call a line. */
function joinPieces(
  pieces: readonly { readonly stream: number; readonly bytes: Buffer }[],
): readonly { readonly stream: number; readonly bytes: Buffer }[] {
  const runs: { stream: number; parts: Buffer[] }[] = [];
  for (const { stream, bytes } of pieces) {
    const last = runs.at(-1);
    if (last?.stream === stream) last.parts.push(bytes);
    else runs.push({ stream, parts: [bytes] });
  }
  return runs.map(({ stream, parts }) => ({ stream, bytes: Buffer.concat(parts) }));
}

function targetOf(
  stream: number,
  streams: Pick<Streams, "stdout" | "stderr">,
  options: Pick<SessionOptions, "stdout" | "stderr">,
): Output | undefined {
  if (stream === 1) return options.stdout ? streams.stdout : undefined;
  return options.stderr ? streams.stderr : undefined;
}

/** Resolves with true when the detach keys were typed, false at the end of the input. */
async function copyInput(stream: EngineStream, streams: Streams, options: SessionOptions): Promise<boolean> {
  const filter = options.tty ? new DetachFilter(parseDetachKeys(options.detachKeys)) : undefined;
  try {
    for await (const chunk of streams.stdin.bytes()) {
      const { bytes, detached } = filter?.push(chunk) ?? { bytes: chunk, detached: false };
      if (bytes.length > 0) await stream.write(bytes);
      if (detached) return true;
    }
    stream.end();
  } catch {
    // The container has closed its stdin or has ended; its output tells the rest.
  }
  return false;
}

/** What would end the process with the terminal still raw, were it left to the kernel. */
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

function makeRaw(streams: Streams): () => void {
  if (!streams.stdin.isTerminal) return () => undefined;
  const restore = streams.stdin.setRaw();
  process.once("exit", restore);
  const stopWatching = exitOnSignals(ENDING);
  return () => {
    stopWatching();
    process.off("exit", restore);
    restore();
  };
}
