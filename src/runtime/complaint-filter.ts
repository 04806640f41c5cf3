import { Transform, type TransformCallback } from "node:stream";

/** How runc and crun begin when they fail themselves. */
const BEGINNINGS: readonly string[] = [
  ...["exec failed: ", "runc run failed: ", "runc create failed: ", "error", "{"],
  ...["executable file `", "open executable: ", "the path `", "exec `", "chdir"],
];
const LONGEST_BEGINNING = Math.max(...BEGINNINGS.map((text) => text.length));
/** A first chunk longer than a message is output. */
const LONGEST_COMPLAINT = 8 * 1024;

/**
 * runc writes its own failure to the stream that carries the program's output. This passes output on at once, but holds back what begins like
 * a failure of runc until `decide` or `pass` says what it was. The caller replaces a failure's text by Docker's.
 */
export class ComplaintFilter extends Transform {
  readonly #onSuspect: () => void;
  #isOutput = false;
  #held: Buffer[] = [];

  /** `onSuspect` is called when something is held back: the time to find out whether the program runs. */
  constructor(onSuspect: () => void = () => undefined) {
    super();
    this.#onSuspect = onSuspect;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#held.length > 0) {
      this.#held.push(chunk);
      if (this.#held.reduce((sum, part) => sum + part.length, 0) > LONGEST_COMPLAINT) this.pass();
    } else if (!this.#isOutput && looksLikeComplaint(chunk)) {
      this.#held.push(chunk);
      this.#onSuspect();
    } else this.push(chunk);
    done();
  }

  /** The program runs: what was held, and all that comes, is its output. */
  pass(): void {
    this.#isOutput = true;
    for (const chunk of this.#held) this.push(chunk);
    this.#held = [];
  }

  /** Ends the stream: with `replacement` instead of what was held, or with what was held when it was output after all. */
  decide(replacement: Uint8Array | undefined): void {
    if (replacement === undefined) this.pass();
    else {
      this.#held = [];
      this.push(replacement);
    }
    this.end();
  }
}

function looksLikeComplaint(chunk: Buffer): boolean {
  const text = chunk.toString("latin1", 0, LONGEST_BEGINNING);
  return chunk.length <= LONGEST_COMPLAINT && BEGINNINGS.some((beginning) => text.startsWith(beginning));
}
