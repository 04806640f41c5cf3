import { constants, createReadStream } from "node:fs";
import { access, stat } from "node:fs/promises";
import { InvalidParameterError } from "#errors/errors.ts";
import { goFileError } from "#lib/go-file-error.ts";

/** Bytes in one read. */
const PIECE = 1024 * 1024;

/** A file's bytes. Throws InvalidParameterError in docker's words for what cannot be read, before anything is asked of the engine. */
export async function openInput(path: string): Promise<AsyncIterable<Uint8Array>> {
  if (await isDirectory(path)) throw new InvalidParameterError(`read ${path}: is a directory`);
  return createReadStream(path, { highWaterMark: PIECE });
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw new InvalidParameterError(goFileError("open", path, cause), { cause });
  }
}
