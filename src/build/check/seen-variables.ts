import type { Variables } from "../parse/shell-words.ts";

/** Variables that remember which of them were asked for, and which there were not. */
export class SeenVariables implements Variables {
  readonly found: Set<string> = new Set();
  readonly missing: Set<string> = new Set();
  readonly #inner: Variables;

  constructor(inner: Variables) {
    this.#inner = inner;
  }

  get(name: string): string | undefined {
    const value = this.#inner.get(name);
    (value === undefined ? this.missing : this.found).add(name);
    return value;
  }
}
