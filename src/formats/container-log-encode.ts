import type { LogBatch, OutputStream } from "./container-log.ts";
import { StdcopyWriter } from "./stdcopy.ts";

export interface LogEncoderOptions {
  /** Docker's frames, one per piece; otherwise plain bytes, as for a container with a terminal. */
  readonly framed: boolean;
  /** Put each line's time before it, as `docker logs -t`. */
  readonly timestamps: boolean;
  /** Put before each line, behind its time; undefined: nothing. ASCII. */
  readonly details?: string | undefined;
}

/**
 * Turns the batches of one reader into what a client gets, a buffer a batch. conmon cuts lines wherever its buffer ends, so only a piece
 * that begins a line gets a time and details; hence the state.
 */
export class LogEncoder {
  readonly #options: LogEncoderOptions;
  readonly #isInsideLine = new Set<OutputStream>();

  constructor(options: LogEncoderOptions) {
    this.#options = options;
  }

  get #hasPrefix(): boolean {
    return this.#options.timestamps || this.#options.details !== undefined;
  }

  encode(batch: LogBatch): Buffer {
    return this.#options.framed ? this.#frames(batch) : this.#bytes(batch);
  }

  #frames(batch: LogBatch): Buffer {
    const writer = new StdcopyWriter(batch.bytes.length);
    for (let index = 0; index < batch.count; index++) {
      const prefix = this.#hasPrefix ? this.#prefix(batch, index) : "";
      writer.add(batch.stream(index), batch.bytes, batch.textStart(index), batch.textEnd(index), prefix);
    }
    return writer.take();
  }

  #bytes(batch: LogBatch): Buffer {
    const parts: Uint8Array[] = [];
    for (let index = 0; index < batch.count; index++) {
      if (this.#hasPrefix) parts.push(Buffer.from(this.#prefix(batch, index), "latin1"));
      parts.push(batch.text(index));
    }
    return Buffer.concat(parts);
  }

  #prefix(batch: LogBatch, index: number): string {
    const stream = batch.stream(index);
    const isInside = this.#isInsideLine.has(stream);
    if (batch.isFull(index)) this.#isInsideLine.delete(stream);
    else this.#isInsideLine.add(stream);
    if (isInside) return "";
    const { timestamps, details } = this.#options;
    return `${timestamps ? `${batch.timestamp(index)} ` : ""}${details === undefined ? "" : `${details} `}`;
  }
}
