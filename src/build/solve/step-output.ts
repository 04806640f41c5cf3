import type { Replay } from "#lib/shared-work.ts";

/** Output kept for those who join late, bytes; the oldest goes first. */
const MAX_REPLAY = 1024 * 1024;

/** A piece of what a step printed. The bytes are its own. */
export interface StepOutput {
  readonly stream: 1 | 2;
  readonly bytes: Uint8Array;
}

/** The end of what a step printed so far. */
export class OutputReplay implements Replay<StepOutput> {
  readonly #pieces: StepOutput[] = [];
  #size = 0;

  add(output: StepOutput): void {
    this.#pieces.push(output);
    this.#size += output.bytes.length;
    while (this.#size > MAX_REPLAY) this.#size -= this.#pieces.shift()?.bytes.length ?? this.#size;
  }

  values(): Iterable<StepOutput> {
    return this.#pieces;
  }
}
