/** A change of the engine's tables that waits for its turn. */
interface Turn {
  /** The text for nft(8), made when its turn comes. */
  readonly render: () => string;
  readonly kind: TransactionKind;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * `change`: some elements come or go. `whole`: the tables are made anew from all that is known when its turn comes, every change that was asked for
 * before included. `alone`: goes with no other.
 */
export type TransactionKind = "change" | "whole" | "alone";

/**
 * Transactions of nft(8), one after the other. All that wait while one runs go together as the next: the kernel takes as long for one change as for
 * hundreds (it waits until every CPU has stopped using the old rules), so that nobody waits for more than two.
 */
export class NftTransactions {
  readonly #commit: (text: string) => Promise<void>;
  #waiting: Turn[] = [];
  #isCommitting = false;

  constructor(commit: (text: string) => Promise<void>) {
    this.#commit = commit;
  }

  /** Resolves when the kernel has it; rejects as the transaction that it went with. */
  add(kind: TransactionKind, render: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ render, kind, resolve, reject });
      void this.#commitAll();
    });
  }

  async #commitAll(): Promise<void> {
    if (this.#isCommitting) return;
    this.#isCommitting = true;
    while (this.#waiting.length > 0) {
      const turns = this.#next();
      try {
        await this.#commit(textOf(turns));
        for (const { resolve } of turns) resolve();
      } catch (error) {
        for (const { reject } of turns) reject(error);
      }
    }
    this.#isCommitting = false;
  }

  /** Those that go together now. */
  #next(): readonly Turn[] {
    const barrier = this.#waiting.findIndex(({ kind }) => kind === "alone");
    const count = barrier < 0 ? this.#waiting.length : Math.max(barrier, 1);
    return this.#waiting.splice(0, count);
  }
}

function textOf(turns: readonly Turn[]): string {
  const whole = turns.find(({ kind }) => kind === "whole");
  return whole ? whole.render() : turns.map(({ render }) => render()).join("");
}
