import { closeSync, linkSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { errorCode } from "#errors/errors.ts";

/*
 * A full disk must not keep the engine from writing down that a container ended or that an image goes: without that nothing could be
 * removed any more. SQLite writes every change to its write-ahead log first, from the beginning again after each checkpoint, and never
 * shortens the file. So a log that has its blocks already is all the room that such changes need; those who fill the disk cannot take it.
 */

/** Bytes that the log has from the start. */
const LOG_SPACE = 2 * 1024 * 1024;
/** Pages (of 4 KiB) in the log after which SQLite moves them into the database: a quarter of its space, for large transactions follow. */
export const CHECKPOINT_PAGES = 128;

/** Call before SQLite opens the database at `path`: gives it back the log that {@link keepingLogSpace} kept. */
export function takeKeptLog(path: string): void {
  if (exists(logOf(path))) rmSync(keptOf(path), { force: true });
  // SQLite takes a log without a valid header for an empty one. https://sqlite.org/fileformat2.html#walformat
  else if (exists(keptOf(path))) renameSync(keptOf(path), logOf(path));
}

/** Call when SQLite has the log open: fills it up to its space, as far as the disk has that. Zeros behind the frames mean nothing. */
export function claimLogSpace(path: string): void {
  const { size } = statSync(logOf(path));
  if (size < LOG_SPACE) writeZeros(logOf(path), size, LOG_SPACE - size);
}

/**
 * Runs `close`, in which SQLite deletes the log, and keeps the log's blocks under another name for the next time: by then somebody else may
 * have filled the disk.
 */
export function keepingLogSpace(path: string, close: () => void): void {
  rmSync(keptOf(path), { force: true });
  if (exists(logOf(path))) linkSync(logOf(path), keptOf(path));
  close();
  // Without room to move its content into the database, SQLite leaves the log where it is: it must not be touched.
  if (exists(logOf(path))) rmSync(keptOf(path), { force: true });
  // What it says is in the database now. A crash before this line is harmless: reading it once more changes nothing.
  else if (exists(keptOf(path))) writeZeros(keptOf(path), 0, HEADER);
}

/** Bytes of the log that tell whether the rest means anything. */
const HEADER = 32;

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function writeZeros(path: string, position: number, size: number): void {
  const file = openSync(path, "r+");
  try {
    writeSync(file, Buffer.alloc(size), 0, size, position);
  } catch (error) {
    if (errorCode(error) !== "ENOSPC" && errorCode(error) !== "EDQUOT") throw error;
  } finally {
    closeSync(file);
  }
}

function logOf(path: string): string {
  return `${path}-wal`;
}

function keptOf(path: string): string {
  return `${path}-log-space`;
}
