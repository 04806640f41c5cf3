/** Running builds whose clients gave them an id to cancel them by, as docker's CLI does at Ctrl-C: it keeps the connection for the last output. */
export class CancellableBuilds {
  readonly #running = new Map<string, AbortController>();

  /** A signal for the build of this id, until the result is disposed. */
  begin(id: string): Disposable & { readonly signal: AbortSignal } {
    const controller = new AbortController();
    if (id !== "") this.#running.set(id, controller);
    return {
      signal: controller.signal,
      [Symbol.dispose]: () => {
        if (this.#running.get(id) === controller) this.#running.delete(id);
      },
    };
  }

  /** Cancels the build of this id; one that has ended needs none. */
  cancel(id: string): void {
    this.#running.get(id)?.abort();
  }
}
