import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { CancelledError, SystemError } from "#errors/errors.ts";
import { childExit, startChild } from "#sys/command.ts";
import { findProgram } from "#sys/find-program.ts";

/** Programs that compress several times faster than zlib, best first; all write no name and no time, so the same input gives the same bytes. */
const PROGRAMS: readonly (readonly [program: string, args: readonly string[]])[] = [
  ["igzip", ["-c", "-n"]],
  ["pigz", ["-c", "-n"]],
];

/**
 * The gzip form of a stream, by the fastest means installed, with back-pressure. Throws SystemError when the program fails,
 * CancelledError on abort; errors of the source pass through.
 */
export async function* gzipStream(
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (signal?.aborted) throw new CancelledError("cancelled: compressing");
  const found = gzipProgram();
  if (found) yield* gzipByProgram(found[0], found[1], source, signal);
  else yield* gzipByLibrary(source, signal);
}

async function* gzipByProgram(
  program: string,
  args: readonly string[],
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const child = startChild(program, args, { stdio: ["pipe", "pipe", "ignore"] });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new SystemError(`${program}: no pipes`);
  const exit = childExit(child, program);
  const onAbort = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", onAbort, { once: true });
  // A failing source must stop the child; its error is the one to tell.
  const feeding = pipeline(Readable.from(source, { objectMode: true }), stdin).then(
    () => undefined,
    (error: unknown) => {
      child.kill("SIGKILL");
      return error;
    },
  );
  try {
    for await (const chunk of stdout) yield chunk;
    const [exitCode, failure] = await Promise.all([exit, feeding]);
    if (signal?.aborted) throw new CancelledError("cancelled: compressing");
    if (failure !== undefined) throw failure;
    if (exitCode !== 0) throw new SystemError(`${program} failed with exit code ${exitCode}`);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    child.kill("SIGKILL");
    await Promise.allSettled([exit, feeding]);
  }
}

async function* gzipByLibrary(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const gzip = createGzip({ level: 6 });
  const feeding = pipeline(Readable.from(source, { objectMode: true }), gzip, signal ? { signal } : {}).catch(
    (error: unknown) => error,
  );
  for await (const chunk of gzip) yield chunk;
  const failure = await feeding;
  if (failure !== undefined) throw failure;
}

let known: readonly [program: (typeof PROGRAMS)[number] | undefined] | undefined;

/** The first program that is installed; looked for once. */
function gzipProgram(): (typeof PROGRAMS)[number] | undefined {
  known ??= [PROGRAMS.find(([name]) => findProgram(name) !== undefined)];
  return known[0];
}
