/** Values that one side pushes and another iterates over, once, in order. */
export class PushQueue<T> implements AsyncIterable<T> {
  readonly #values: { readonly value: T; readonly taken: () => void }[] = [];
  #isEnded = false;
  #wake: (() => void) | undefined;

  /** How many wait to be taken. */
  get length(): number {
    return this.#values.length;
  }

  /** Resolves when the value has been taken, or never will be: await it for back-pressure. After `end` values are dropped. */
  push(value: T): Promise<void> {
    if (this.#isEnded) return Promise.resolve();
    return new Promise((taken) => {
      this.#values.push({ value, taken });
      this.#wake?.();
    });
  }

  /** No more values: the iteration ends behind those that wait. */
  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    try {
      for (;;) {
        const next = this.#values.shift();
        if (next) {
          next.taken();
          yield next.value;
        } else if (this.#isEnded) return;
        else await this.#arrival();
      }
    } finally {
      this.#isEnded = true;
      for (const { taken } of this.#values.splice(0)) taken();
    }
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
