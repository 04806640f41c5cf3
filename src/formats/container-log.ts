/**
 * The log format that conmon writes ("k8s-file"), one line per piece of output:
 *
 *     2026-01-31T12:00:00.123456789+00:00 stdout F text
 *
 * `F` ends a line of output: its "\n" is the file's own. `P` is a part (no newline was written, or the line was longer than conmon's
 * buffer): the "\n" in the file is not output. https://github.com/containers/conmon/blob/main/src/ctr_logging.c
 *
 * 200,000 lines have to pass in a tenth of a second, so nothing here makes an object or a string per line: a batch is one buffer and
 * a table of positions in it.
 */
const NEWLINE = 0x0a;
const SPACE = 0x20;
const LETTER_E = 0x65;
const LETTER_O = 0x6f;
const FULL = 0x46;
const PARTIAL = 0x50;

/** " stdout F " after the time: space, six letters, space, flag, space. */
const STREAM_LETTER = 4;
const FLAG = 8;
const HEADER_TAIL = 10;
/** The shortest time, "2026-01-31T12:00:00Z". */
const SHORTEST_TIME = 20;
const LONGEST_TIME = 64;
const POSITIONS = 3;

export type OutputStream = 1 | 2;
export const STDOUT: OutputStream = 1;
export const STDERR: OutputStream = 2;

/** Consecutive pieces of a container's output, in order. Immutable. */
export class LogBatch {
  /** File content that the positions point into. */
  readonly bytes: Buffer;
  readonly count: number;
  /** Per piece: start of its time, start of its text, end of its text. */
  readonly #positions: Int32Array;
  readonly #streams: Uint8Array;

  constructor(bytes: Buffer, count: number, positions: Int32Array, streams: Uint8Array) {
    this.bytes = bytes;
    this.count = count;
    this.#positions = positions;
    this.#streams = streams;
  }

  stream(index: number): OutputStream {
    return this.#streams[index] === STDERR ? STDERR : STDOUT;
  }

  textStart(index: number): number {
    return this.#positions[index * POSITIONS + 1] ?? 0;
  }

  /** One past the last byte of the text, which includes the "\n" unless the piece is a part. */
  textEnd(index: number): number {
    return this.#positions[index * POSITIONS + 2] ?? 0;
  }

  text(index: number): Buffer {
    return this.bytes.subarray(this.textStart(index), this.textEnd(index));
  }

  /** True when the piece ends a line. */
  isFull(index: number): boolean {
    return this.bytes[this.textStart(index) - 2] === FULL;
  }

  /** Nanoseconds since the epoch. */
  time(index: number): bigint {
    return parseLogTime(this.#timeText(index));
  }

  /** The time as Docker prints it: UTC, nine digits of fraction, "Z". */
  timestamp(index: number): string {
    const text = this.#timeText(index);
    return text.length === 35 && text.endsWith("+00:00") ? `${text.slice(0, 29)}Z` : formatLogTime(parseLogTime(text));
  }

  /** The pieces from `start` to before `end`. */
  slice(start: number, end: number = this.count): LogBatch {
    return new LogBatch(
      this.bytes,
      Math.max(0, Math.min(end, this.count) - start),
      this.#positions.subarray(start * POSITIONS),
      this.#streams.subarray(start),
    );
  }

  /** The pieces of one stream. */
  onlyStream(wanted: OutputStream): LogBatch {
    const positions = new Int32Array(this.count * POSITIONS);
    let count = 0;
    for (let index = 0; index < this.count; index++) {
      if (this.stream(index) !== wanted) continue;
      positions.set(this.#positions.subarray(index * POSITIONS, index * POSITIONS + POSITIONS), count * POSITIONS);
      count++;
    }
    return new LogBatch(this.bytes, count, positions, new Uint8Array(count).fill(wanted));
  }

  #timeText(index: number): string {
    return this.bytes.toString("latin1", this.#positions[index * POSITIONS] ?? 0, this.textStart(index) - HEADER_TAIL);
  }
}

/** Parses a log that arrives in chunks. Lines that are not in the format (torn by a full disk or a power cut) are left out and counted. */
export class ContainerLogParser {
  #rest: Buffer = Buffer.alloc(0);
  #malformed = 0;
  /** Length of the last time seen: practically always the next one's too. */
  #timeLength = 35;

  /** Lines left out so far. */
  get malformed(): number {
    return this.#malformed;
  }

  /** Returns the lines that are complete with this chunk. The chunk belongs to the batch from now on: do not reuse it. */
  push(chunk: Buffer): LogBatch {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const most = Math.floor(bytes.length / (SHORTEST_TIME + HEADER_TAIL + 1)) + 1;
    const positions = new Int32Array(most * POSITIONS);
    const streams = new Uint8Array(most);
    let count = 0;
    let start = 0;
    for (let newline = bytes.indexOf(NEWLINE); newline !== -1; newline = bytes.indexOf(NEWLINE, start)) {
      const time = this.#endOfTime(bytes, start, newline);
      if (time === -1) {
        this.#malformed++;
      } else {
        positions[count * POSITIONS] = start;
        positions[count * POSITIONS + 1] = time + HEADER_TAIL;
        positions[count * POSITIONS + 2] = bytes[time + FLAG] === FULL ? newline + 1 : newline;
        streams[count] = bytes[time + STREAM_LETTER] === LETTER_E ? STDERR : STDOUT;
        count++;
      }
      start = newline + 1;
    }
    this.#rest = start === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(start));
    return new LogBatch(bytes, count, positions, streams);
  }

  /** Position of the space after the time of the line at `start`, or -1 when the line has not the format. */
  #endOfTime(bytes: Buffer, start: number, end: number): number {
    let space = start + this.#timeLength;
    if (bytes[space] !== SPACE || !hasHeaderTail(bytes, space, end)) {
      space = bytes.indexOf(SPACE, start);
      const length = space - start;
      if (length < SHORTEST_TIME || length > LONGEST_TIME || !hasHeaderTail(bytes, space, end)) return -1;
      this.#timeLength = length;
    }
    return space;
  }
}

/** `F` pieces end a line; looks at the raw line at `start`. Used to count lines from a file's end. */
export function endsLine(bytes: Buffer, start: number): boolean {
  const space = bytes.indexOf(SPACE, start);
  return space !== -1 && bytes[space + FLAG] === FULL;
}

/** An RFC 3339 time with up to nine digits of fraction, as nanoseconds since the epoch; 0 when it is none. */
export function parseLogTime(text: string): bigint {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return 0n;
  const milliseconds = Date.parse(`${match[1]}${match[3]}`);
  return Number.isNaN(milliseconds) ? 0n : BigInt(milliseconds) * 1_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}

/** Nanoseconds since the epoch as RFC 3339 in UTC with nine digits of fraction. */
export function formatLogTime(nanoseconds: bigint): string {
  const seconds = new Date(Number(nanoseconds / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(nanoseconds % 1_000_000_000n).padStart(9, "0")}Z`;
}

function hasHeaderTail(bytes: Buffer, space: number, end: number): boolean {
  const letter = bytes[space + STREAM_LETTER];
  const flag = bytes[space + FLAG];
  return (
    space + HEADER_TAIL <= end &&
    (letter === LETTER_O || letter === LETTER_E) &&
    bytes[space + FLAG - 1] === SPACE &&
    (flag === FULL || flag === PARTIAL) &&
    bytes[space + FLAG + 1] === SPACE
  );
}
