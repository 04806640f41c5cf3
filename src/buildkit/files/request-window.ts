import { InvalidParameterError } from "#errors/errors.ts";
import type { OfferedEntry } from "./offered-entries.ts";

/** What may come before its turn and has to wait in memory, bytes. Files behind the current one are asked for as far as they fit. */
const AHEAD_BYTES = 4 * 1024 * 1024;
/** Requests that may be open at once. */
const AHEAD_FILES = 256;

interface Requested {
  readonly file: OfferedEntry;
  received: number;
  isComplete: boolean;
  /** What came before its turn. */
  waiting: Uint8Array[];
}

/**
 * Puts the contents of files in order. Clients send several at once, a packet of this and a packet of that; the current file's pass
 * through, those of the next ones wait.
 */
export class RequestWindow {
  readonly #files: readonly OfferedEntry[];
  /** Asked for and not passed on, in order: the first is the current one. */
  readonly #open = new Map<number, Requested>();
  #next = 0;
  #aheadBytes = 0;

  constructor(files: readonly OfferedEntry[]) {
    this.#files = files;
  }

  get isDone(): boolean {
    return this.#next === this.#files.length && this.#open.size === 0;
  }

  /** The files to ask for now. */
  *due(): Generator<number, void, void> {
    for (;;) {
      const file = this.#files[this.#next];
      if (!file || this.#open.size >= AHEAD_FILES) return;
      const isCurrent = this.#open.size === 0;
      if (!isCurrent && this.#aheadBytes + file.line.s > AHEAD_BYTES) return;
      this.#next++;
      if (!isCurrent) this.#aheadBytes += file.line.s;
      this.#open.set(file.id, { file, received: 0, isComplete: false, waiting: [] });
      yield file.id;
    }
  }

  /** Takes a data packet; an empty one ends its file. Throws InvalidParameterError for what was not asked for, and for a wrong length. */
  take(id: number, data: Uint8Array): void {
    const requested = this.#open.get(id);
    if (!requested || requested.isComplete) {
      throw new InvalidParameterError(`invalid build context: data of file ${id}, which was not asked for`);
    }
    const { s: size, p: path } = requested.file.line;
    requested.received += data.length;
    if (requested.received > size) throw changed(path, "grew");
    if (data.length > 0) {
      requested.waiting.push(data);
      return;
    }
    if (requested.received < size) throw changed(path, "shrank");
    requested.isComplete = true;
  }

  /** What can be passed on: all that waits of the current file, and of the next ones once that is complete. */
  *ready(): Generator<Uint8Array, void, void> {
    for (const [id, requested] of this.#open) {
      const { waiting } = requested;
      requested.waiting = [];
      yield* waiting;
      if (!requested.isComplete) return;
      this.#open.delete(id);
      const [following] = this.#open.values();
      // The next one is the current one now, and does not count as ahead any more.
      if (following) this.#aheadBytes -= following.file.line.s;
    }
  }
}

function changed(path: string, how: string): InvalidParameterError {
  const name = Buffer.from(path, "latin1").toString("utf8");
  return new InvalidParameterError(
    `cannot send build context: ${JSON.stringify(name)} ${how} while it was read; build again`,
  );
}
