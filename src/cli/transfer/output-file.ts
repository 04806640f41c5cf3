import { createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InvalidParameterError } from "#errors/errors.ts";
import type { Output } from "../streams.ts";

/** Before anything is asked of the engine: refuses a terminal, and a file whose directory does not exist. `what` begins the error. */
export async function checkOutput(path: string, stdout: Output, what: string): Promise<void> {
  if (path === "") {
    if (!stdout.isTerminal) return;
    throw new InvalidParameterError("cowardly refusing to save to a terminal. Use the -o flag or redirect");
  }
  const directory = dirname(path);
  const found = await stat(directory).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new InvalidParameterError(`${what}: invalid output path: directory "${directory}" does not exist`);
  }
}

/** Writes a tar to the file, or to stdout when `path` is "". */
export async function writeOutput(path: string, stdout: Output, body: AsyncIterable<Buffer>): Promise<void> {
  if (path === "") for await (const bytes of body) await stdout.write(bytes);
  else await writeWhole(path, body);
}

/** Under another name until it is whole: an archive that was cut off must not look like one. */
async function writeWhole(path: string, body: AsyncIterable<Buffer>): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found && !found.isFile()) return pipeline(Readable.from(body), createWriteStream(path));
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    await pipeline(Readable.from(body), createWriteStream(temporary, { mode: 0o600 }));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
