import { humanSize } from "#formats/go-units.ts";
import type { Output } from "../streams.ts";

/** Milliseconds between two updates, as docker's. */
const UPDATE_EVERY = 75;

const SAVE_CURSOR = "\x1b7";
const RESTORE_CURSOR = "\x1b8";
const ERASE_LINE = "\x1b[2K";
const ERASE_TO_END = "\x1b[0K";

/** Docker's line about a copy on stderr: how much so far on a terminal, and what was copied in the end. Nothing when quiet. */
export class CopyProgress implements AsyncDisposable {
  readonly #output: Output;
  readonly #header: string;
  readonly #quiet: boolean;
  #total = 0;
  #shown = -1;
  #next = 0;

  constructor(output: Output, header: string, quiet: boolean) {
    this.#output = output;
    this.#header = header;
    this.#quiet = quiet;
  }

  /** Passes bytes on and counts them. */
  async *count(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of bytes) {
      this.#total += chunk.length;
      await this.#show();
      yield chunk;
    }
  }

  /** Says that everything went to `place`. */
  async succeed(place: string): Promise<void> {
    if (this.#quiet) return;
    await this.#clear();
    await this.#output.write(`Successfully copied ${humanSize(this.#total, 3)} to ${place}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#clear();
  }

  async #show(): Promise<void> {
    const now = performance.now();
    if (this.#quiet || !this.#output.isTerminal || now < this.#next || this.#total === this.#shown) return;
    const isFirst = this.#shown < 0;
    this.#next = now + UPDATE_EVERY;
    this.#shown = this.#total;
    const start = isFirst ? `${SAVE_CURSOR}${ERASE_LINE}` : RESTORE_CURSOR;
    await this.#output.write(`${start}${this.#header}${humanSize(this.#total, 3)}${ERASE_TO_END}`);
  }

  async #clear(): Promise<void> {
    if (this.#shown < 0) return;
    this.#shown = -1;
    await this.#output.write(`${RESTORE_CURSOR}${ERASE_LINE}`);
  }
}
