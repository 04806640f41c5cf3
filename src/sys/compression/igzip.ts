import { fstatSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Writable } from "node:stream";
import { CancelledError, DataLossError, errorCode, UnavailableError } from "#errors/errors.ts";
import { childExit, startChild } from "../command.ts";
import { findProgram } from "../find-program.ts";
import type { CompressedSource } from "./compressed-source.ts";
import type { InflateOptions } from "./inflate.ts";
import { checkGrowth, DEFAULT_INFLATE_LIMITS } from "./inflate-limits.ts";

/** Whether igzip (Debian's package isal) is installed. */
export function hasIgzip(): boolean {
  return findProgram("igzip") !== undefined;
}

export interface InflateIntoOptions extends InflateOptions {
  /** Called with the file's size as it grows; not awaited, so that igzip never waits for the reader. */
  readonly onGrow: (fileSize: number) => void;
}

/**
 * Decompresses gzip to the end of the file at `path`, with igzip writing straight into the file. Four times the speed of zlib
 * alone is lost again when the output goes through a pipe and this process; like this the bytes are copied once, and whoever wants to
 * hash them reads them from the page cache behind igzip.
 *
 * Throws DataLossError for corrupt or truncated input, InvalidParameterError past a limit, CancelledError on abort, the system's
 * ENOSPC error on a full disk, and whatever the source throws. The child is gone when this returns or throws.
 */
export async function igzipInto(path: string, input: CompressedSource, options: InflateIntoOptions): Promise<void> {
  // Append mode: the child continues behind what is there, whatever the position of other descriptors.
  const output = await open(path, "a");
  try {
    await runIgzip(output, input, options);
  } finally {
    await output.close();
  }
}

async function runIgzip(output: FileHandle, input: CompressedSource, options: InflateIntoOptions): Promise<void> {
  const { size: start } = fstatSync(output.fd);
  const child = startChild("igzip", ["-d", "-c"], { stdio: ["pipe", output.fd, "ignore"] });
  const exit = childExit(child, "igzip");
  // Handled where it is awaited; a failed start must not count as unhandled meanwhile.
  exit.catch(() => undefined);
  const { stdin } = child;
  if (!stdin) throw new UnavailableError("cannot run igzip: no pipe");
  // Errors of the pipe reach the writes' callbacks; the event alone would be thrown.
  stdin.on("error", () => undefined);
  try {
    for await (const chunk of input.chunks()) {
      if (!(await writeChunk(stdin, chunk))) break;
      grown(output, start, input, options);
    }
    stdin.end();
    const exitCode = await exit;
    grown(output, start, input, options);
    if (exitCode !== 0) await fail(output);
  } finally {
    child.kill("SIGKILL");
    await exit.catch(() => undefined);
    await input.close();
  }
}

/** Resolves when the pipe took the chunk: true; false when the child reads no more. */
function writeChunk(stdin: Writable, chunk: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => stdin.write(chunk, (error) => resolve(!error)));
}

/** Looks at once: a thread would take longer to be asked, and this is done for every chunk. */
function grown(output: FileHandle, start: number, input: CompressedSource, options: InflateIntoOptions): void {
  if (options.signal?.aborted) throw new CancelledError("cancelled: decompression");
  const { size } = fstatSync(output.fd);
  checkGrowth(size - start, input.size, options.limits ?? DEFAULT_INFLATE_LIMITS);
  options.onGrow(size);
}

/** igzip ends alike for bad input and for a disk that is full: what a write of our own says tells them apart. */
async function fail(output: FileHandle): Promise<never> {
  try {
    await output.write(new Uint8Array(PROBE));
  } catch (error) {
    if (errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT") throw error;
  }
  throw new DataLossError("corrupt or truncated gzip data");
}

/** As much as igzip's own writes, so that what did not fit then does not fit now. */
const PROBE = 1024 * 1024;
