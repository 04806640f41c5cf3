/** Keys that somebody holds, any number of times: one is free again with the last hold. */
export class HoldCounter {
  readonly #counts = new Map<string, number>();

  /** Holds a key until the result is disposed. */
  hold(key: string): Disposable {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    return { [Symbol.dispose]: () => this.#release(key) };
  }

  isHeld(key: string): boolean {
    return this.#counts.has(key);
  }

  #release(key: string): void {
    const left = (this.#counts.get(key) ?? 1) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }
}
