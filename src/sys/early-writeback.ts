import { tryCall } from "./libc.ts";

const SYNC_FILE_RANGE_WRITE = 2;
/** Ranges of this many bytes are handed to the disk at once. */
const STEP = 16 * 1024 * 1024;

/**
 * Keeps the disk busy while a large file is still being written, so that the fsync at its end has little left to wait for. Only a
 * hint: what it does or fails to do changes nothing about what is durable. https://man7.org/linux/man-pages/man2/sync_file_range.2.html
 */
export class EarlyWriteback {
  readonly #descriptor: number;
  #started = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Everything before `position` has been written to the page cache. */
  reached(position: number): void {
    if (position - this.#started < STEP) return;
    tryCall("sync_file_range", this.#descriptor, this.#started, position - this.#started, SYNC_FILE_RANGE_WRITE);
    this.#started = position;
  }
}
