/** A change of the engine's tables that waits for its turn; what is to be done is made when that comes. */
type Turn<Change> = PromiseWithResolvers<void> &
  (
    | { readonly kind: "change"; readonly changes: () => readonly Change[] }
    | { readonly kind: "whole" | "alone"; readonly render: () => string }
  );

/** How the kernel gets what is to be done, as one transaction. */
export interface NftCommits<Change> {
  readonly changes: (changes: readonly Change[]) => Promise<void>;
  /** By nft(8). */
  readonly text: (text: string) => Promise<void>;
}

/**
 * Transactions of nftables, one after the other. All that wait while one runs go together as the next, so that nobody waits for more than two.
 */
export class NftTransactions<Change> {
  readonly #commits: NftCommits<Change>;
  #waiting: Turn<Change>[] = [];
  #isCommitting = false;

  constructor(commits: NftCommits<Change>) {
    this.#commits = commits;
  }

  /** Some elements come or go. Resolves when the kernel has it; rejects as the transaction that it went with. */
  change(changes: () => readonly Change[]): Promise<void> {
    return this.#add({ kind: "change", changes, ...Promise.withResolvers<void>() });
  }

  /** The tables are made anew from all that is known when its turn comes, every change that was asked for before included. */
  whole(render: () => string): Promise<void> {
    return this.#add({ kind: "whole", render, ...Promise.withResolvers<void>() });
  }

  /** What goes with no other. */
  alone(render: () => string): Promise<void> {
    return this.#add({ kind: "alone", render, ...Promise.withResolvers<void>() });
  }

  #add(turn: Turn<Change>): Promise<void> {
    this.#waiting.push(turn);
    void this.#commitAll();
    return turn.promise;
  }

  async #commitAll(): Promise<void> {
    if (this.#isCommitting) return;
    this.#isCommitting = true;
    while (this.#waiting.length > 0) {
      const turns = this.#next();
      try {
        await this.#commit(turns);
        for (const { resolve } of turns) resolve();
      } catch (error) {
        for (const { reject } of turns) reject(error);
      }
    }
    this.#isCommitting = false;
  }

  /** Those that go together now. */
  #next(): readonly Turn<Change>[] {
    const barrier = this.#waiting.findIndex(({ kind }) => kind === "alone");
    const count = barrier < 0 ? this.#waiting.length : Math.max(barrier, 1);
    return this.#waiting.splice(0, count);
  }

  async #commit(turns: readonly Turn<Change>[]): Promise<void> {
    const text = turns.find((turn) => turn.kind !== "change");
    if (text) await this.#commits.text(text.render());
    else await this.#commits.changes(turns.flatMap((turn) => (turn.kind === "change" ? turn.changes() : [])));
  }
}
