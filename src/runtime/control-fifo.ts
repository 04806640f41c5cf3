import { closeSync, constants, openSync, writeSync } from "node:fs";
import { errorCode } from "#errors/errors.ts";
import type { TerminalSize } from "./container-runtime.ts";

/** conmon refuses more. */
const LARGEST_SIZE = 1000;

/** What conmon reads at once. */
const READ_SIZE = 199;

/**
 * A size for the FIFO that conmon itself passes sizes on by. As long as a read: of two lines in one read conmon up to 2.1.6 takes the first twice,
 * and a client that sizes a terminal twice, so that a program draws anew, would leave it at the first size.
 * https://github.com/containers/conmon/blob/main/src/ctrl.c
 */
export function resizeMessage(size: TerminalSize): string {
  return `${`${clamp(size.rows)} ${clamp(size.columns)}`.padEnd(READ_SIZE - 1)}\n`;
}

/** Makes conmon close its log and open the path anew: after a rename, the next file. */
export const REOPEN_LOG_MESSAGE = "2 0 0\n";

/** Writes one message to a FIFO of conmon's. False when no conmon reads it any more. */
export function sendControlMessage(path: string, message: string): boolean {
  try {
    // Without O_NONBLOCK the open would wait for a reader.
    const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      writeSync(fd, message);
      return true;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENXIO" || errorCode(error) === "EPIPE") return false;
    throw error;
  }
}

function clamp(value: number): number {
  return Math.max(0, Math.min(LARGEST_SIZE, Math.trunc(value)));
}
