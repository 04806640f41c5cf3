/** Calls `act` once when nothing has been `noticed` for `milliseconds`, and again after the next such quiet. Keeps no process alive. */
export class QuietTimer {
  readonly #timer: NodeJS.Timeout;

  /** The first quiet begins now. */
  constructor(milliseconds: number, act: () => void) {
    this.#timer = setTimeout(act, milliseconds).unref();
  }

  /** Something happened: the quiet begins anew. */
  noticed(): void {
    this.#timer.refresh();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
