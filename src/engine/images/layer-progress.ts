import type { ProgressListener } from "./progress.ts";

/** Between two progress messages of one layer, ms. */
const INTERVAL = 100;

/** Says how far one layer is, in Docker's words, and not too often. */
export class LayerProgress {
  readonly #report: ProgressListener;
  readonly #id: string;
  readonly #total: number;
  #last = 0;

  /** `id` is the short digest that Docker prints; `total` in bytes. */
  constructor(report: ProgressListener, id: string, total: number) {
    this.#report = report;
    this.#id = id;
    this.#total = total;
  }

  /** A word without numbers: `Waiting`, `Pull complete`. */
  say(status: string): void {
    this.#report({ status, progressDetail: {}, id: this.#id });
  }

  /** `current` bytes of the total; left out when the last one was just now, except at the end. */
  move(status: string, current: number): void {
    const now = performance.now();
    if (now - this.#last < INTERVAL && current < this.#total) return;
    this.#last = now;
    this.#report({ status, progressDetail: { current, total: this.#total }, id: this.#id });
  }
}
