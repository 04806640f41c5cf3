import { fstatSync, read } from "node:fs";
import { promisify } from "node:util";
import { ContainerLogParser, type LogBatch, STDERR, STDOUT } from "#formats/container-log.ts";
import { LogGenerations } from "./generations.ts";
import { findTail } from "./tail.ts";
import { LogWatch } from "./watch.ts";

const readFd = promisify(read);
const CHUNK = 256 * 1024;

export interface ReadLogOptions {
  /** The log that conmon writes; rotated files lie beside it as `path.1`, `path.2` … */
  readonly path: string;
  /** Go on with what is written from now on, until `ended`. The log's directory must exist; the log need not. */
  readonly follow: boolean;
  /**
   * "oldest": everything that rotation has kept; "now": only output from this call on (with `follow`); a number: a byte offset in the
   * current file. Default "oldest".
   */
  readonly from?: "oldest" | "now" | number;
  /** Only the last lines; undefined means all. With `from: "oldest"` only. */
  readonly tail?: number;
  /** Nanoseconds since the epoch, inclusive. */
  readonly since?: bigint;
  readonly until?: bigint;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly signal?: AbortSignal;
  /** Resolves when the container has ended and conmon has written its last byte. A follower then reads to the end and stops. */
  readonly ended?: Promise<unknown>;
}

/**
 * Reads a container's log: batches in the order of the output, complete, across rotations. The place to start, and
 * without `follow` the end, are fixed when this is called, not at the first batch. The reader holds descriptors until the iteration ends or is left (`break`); to stop one that waits
 * for output, abort `signal`. It reads only as fast as it is asked.
 */
export function readLog(options: ReadLogOptions): AsyncIterableIterator<LogBatch> {
  const from = options.from ?? "oldest";
  const generations = new LogGenerations(options.path, from === "oldest" ? "all" : "current");
  try {
    const offset = startOffset(generations, from, options.tail);
    const pieces = selectPieces(readGenerations(generations, offset, options), options);
    return closeEvenUnread(pieces, generations);
  } catch (error) {
    generations.close();
    throw error;
  }
}

/** Where to begin in the first of the files; those that are before it are let go of. */
function startOffset(
  generations: LogGenerations,
  from: NonNullable<ReadLogOptions["from"]>,
  tail: number | undefined,
): number {
  if (typeof from === "number") return from;
  if (from === "now") return generations.current ? fstatSync(generations.current.fd).size : 0;
  if (tail === undefined) return 0;
  const start = findTail(generations.all, tail);
  for (let skipped = 0; skipped < start.generation; skipped++) generations.advance();
  return start.offset;
}

/** A generator that was never asked runs no `finally` block when it is left; the descriptors are open already. */
function closeEvenUnread(
  pieces: AsyncGenerator<LogBatch>,
  generations: LogGenerations,
): AsyncIterableIterator<LogBatch> {
  let isStarted = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      isStarted = true;
      return pieces.next();
    },
    async return() {
      if (!isStarted) generations.close();
      return await pieces.return(undefined);
    },
  };
}

/** All batches from `offset` of the first generation on. */
async function* readGenerations(
  generations: LogGenerations,
  offset: number,
  options: ReadLogOptions,
): AsyncGenerator<LogBatch> {
  const wakeUp = new WakeUp();
  let watch: LogWatch | undefined;
  const onAbort = (): void => wakeUp.ring();
  options.signal?.addEventListener("abort", onAbort);
  let hasEnded = !options.follow;
  const onEnd = (): void => {
    hasEnded = true;
    wakeUp.ring();
  };
  options.ended?.then(onEnd, onEnd);
  const parser = new ContainerLogParser();
  let position = offset;
  try {
    if (options.follow) watch = new LogWatch(options.path, generations, () => wakeUp.ring());
    while (!options.signal?.aborted) {
      wakeUp.reset();
      // Both are looked at before the read: what was written before them is then certainly read.
      const wasLast = hasEnded;
      watch?.update();
      const isFinished = generations.hasNext;
      const chunk = await readChunk(generations, position, options.follow);
      if (chunk.length > 0) {
        position += chunk.length;
        const batch = parser.push(chunk);
        if (batch.count > 0) yield batch;
      } else if (isFinished) {
        generations.advance();
        position = 0;
      } else if (wasLast) {
        return;
      } else {
        await wakeUp.wait();
      }
    }
  } finally {
    watch?.close();
    options.signal?.removeEventListener("abort", onAbort);
    generations.close();
  }
}

/** Without following, what is written after the call does not belong to the answer: `tail` would give more lines than were asked for. */
async function readChunk(generations: LogGenerations, position: number, follow: boolean): Promise<Buffer> {
  const current = generations.current;
  if (!current) return Buffer.alloc(0);
  const end = follow ? fstatSync(current.fd).size : current.size;
  const available = Math.min(CHUNK, end - position);
  if (available <= 0) return Buffer.alloc(0);
  const chunk = Buffer.allocUnsafe(available);
  const { bytesRead } = await readFd(current.fd, chunk, 0, available, position);
  return chunk.subarray(0, bytesRead);
}

/** Leaves out what the caller does not want to see. */
async function* selectPieces(batches: AsyncGenerator<LogBatch>, options: ReadLogOptions): AsyncGenerator<LogBatch> {
  for await (const batch of batches) {
    let selected = batch;
    if (options.since !== undefined) selected = selected.slice(firstAtOrAfter(selected, options.since));
    const before = options.until === undefined ? selected.count : firstAtOrAfter(selected, options.until + 1n);
    const isPastUntil = before < selected.count;
    if (isPastUntil) selected = selected.slice(0, before);
    if (!options.stderr) selected = selected.onlyStream(STDOUT);
    if (!options.stdout) selected = selected.onlyStream(STDERR);
    if (selected.count > 0) yield selected;
    if (isPastUntil) return;
  }
}

/** conmon writes in the order of time, so the first match is the border. */
function firstAtOrAfter(batch: LogBatch, time: bigint): number {
  const last = batch.count - 1;
  if (last < 0 || batch.time(last) < time) return batch.count;
  let low = 0;
  let high = last;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (batch.time(middle) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A bell that remembers one ring. */
class WakeUp {
  #isRung = false;
  #waiting: (() => void) | undefined;

  ring(): void {
    this.#isRung = true;
    this.#waiting?.();
  }

  reset(): void {
    this.#isRung = false;
  }

  async wait(): Promise<void> {
    if (this.#isRung) return;
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
    });
    this.#waiting = undefined;
  }
}
