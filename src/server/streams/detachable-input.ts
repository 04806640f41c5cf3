import { Transform, type TransformCallback } from "node:stream";
import { InvalidParameterError } from "#errors/errors.ts";
import { DEFAULT_DETACH_KEYS, DetachFilter, parseDetachKeys } from "#formats/detach-keys.ts";

/** What a client types at a container's terminal, up to the keys that leave it running. */
export class DetachableInput extends Transform {
  readonly #filter: DetachFilter;
  readonly #onDetach: () => void;
  #isDetached = false;

  /** `onDetach` is called when the keys are complete; what follows them goes nowhere. */
  constructor(keys: readonly number[], onDetach: () => void) {
    super();
    this.#filter = new DetachFilter(keys);
    this.#onDetach = onDetach;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (!this.#isDetached) {
      const { bytes, detached } = this.#filter.push(chunk);
      if (bytes.length > 0) this.push(bytes);
      this.#isDetached = detached;
      if (detached) this.#onDetach();
    }
    done();
  }
}

/** The keys that a client wants, "" for Docker's. Throws InvalidParameterError. */
export function detachKeys(text: string): readonly number[] {
  try {
    return parseDetachKeys(text || DEFAULT_DETACH_KEYS);
  } catch (cause) {
    throw new InvalidParameterError(`Invalid detach keys (${text}) provided`, { cause });
  }
}
