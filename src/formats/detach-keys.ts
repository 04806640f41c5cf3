/** The keys that leave a container running. https://github.com/moby/term/blob/main/ascii.go, proxy.go */
import { InvalidParameterError } from "#errors/errors.ts";

export const DEFAULT_DETACH_KEYS = "ctrl-p,ctrl-q";

const CONTROL_SIGNS = "@abcdefghijklmnopqrstuvwxyz[\\]^_";

/** Reads `ctrl-p,ctrl-q` or `a,b` as bytes. Throws InvalidParameterError for an unknown key. */
export function parseDetachKeys(text: string): readonly number[] {
  return text.split(",").map((key) => {
    if (key.length === 1) return key.charCodeAt(0);
    const code = /^ctrl-.$/.test(key) ? CONTROL_SIGNS.indexOf(key.slice(5)) : -1;
    if (code < 0) throw new InvalidParameterError(`invalid detach keys (${text}): unknown character: '${key}'`);
    return code;
  });
}

/** Looks for the detach keys in what is typed, over the borders of chunks. */
export class DetachFilter {
  readonly #keys: readonly number[];
  #matched = 0;

  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  /** The bytes to pass on. A begun sequence is held back until it is clear that it is not one. `detached` when it is complete. */
  push(chunk: Uint8Array): { readonly bytes: Uint8Array; readonly detached: boolean } {
    const out: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++;
        if (this.#matched === this.#keys.length) return { bytes: Uint8Array.from(out), detached: true };
      } else {
        out.push(...this.#keys.slice(0, this.#matched));
        this.#matched = byte === this.#keys[0] ? 1 : 0;
        if (this.#matched === 0) out.push(byte);
      }
    }
    return { bytes: Uint8Array.from(out), detached: false };
  }
}
