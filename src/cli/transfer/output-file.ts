import { closeSync, createWriteStream, openSync, writeSync } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InvalidParameterError } from "#errors/errors.ts";
import type { Output } from "../streams.ts";

/** Before anything is asked of the engine: refuses a terminal, a directory, and a file whose directory does not exist. `what` begins the error. */
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
  if ((await stat(path).catch(() => undefined))?.isDirectory()) {
    throw new InvalidParameterError(`${what}: invalid output path: "${path}" is a directory`);
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
    await writeFrom(body, temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** At once, piece by piece as the engine sends them: a thread for each write takes half as long again (1.1 GB: 2.0 s of processor time, not 1.3). */
async function writeFrom(body: AsyncIterable<Buffer>, path: string): Promise<void> {
  const file = openSync(path, "w", 0o600);
  try {
    for await (const bytes of body) for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  } finally {
    closeSync(file);
  }
}
