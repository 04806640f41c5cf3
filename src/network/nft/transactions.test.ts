import { expect, test } from "bun:test";
import { NftTransactions } from "./transactions.ts";

/** Transactions whose commits wait for `release`. */
function held(fails: (text: string) => boolean = () => false) {
  const committed: string[] = [];
  let release = (): void => undefined;
  const text = async (done: string): Promise<void> => {
    committed.push(done);
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    if (fails(done)) throw new Error(`cannot do ${done}`);
  };
  const transactions = new NftTransactions<string>({ text, changes: (changes) => text(changes.join("")) });
  return { committed, transactions, release: () => release() };
}

test("NftTransactions puts all that wait while one runs into the next", async () => {
  const { committed, transactions, release } = held();
  const all = ["a", "b", "c", "d"].map((text) => transactions.change(() => [text]));
  release();
  await all[0];
  release();
  await Promise.all(all);
  expect(committed).toEqual(["a", "bcd"]);
});

test("NftTransactions needs no changes beside a whole table, which knows them; what goes alone keeps its place", async () => {
  const { committed, transactions, release } = held();
  const known: string[] = [];
  const change = (text: string): Promise<void> => {
    known.push(text);
    return transactions.change(() => [text]);
  };
  const whole = (): Promise<void> => transactions.whole(() => `whole(${known.join("")})`);
  const all = [change("a"), change("b"), whole(), change("c"), whole(), transactions.alone(() => "alone"), change("d")];
  for (const [index] of all.entries()) {
    release();
    await Promise.race([all[index], Bun.sleep(5)]);
  }
  await Promise.all(all);
  expect(committed).toEqual(["a", "whole(abcd)", "alone", "d"]);
});

test("NftTransactions rejects all of a transaction that fails, and goes on", async () => {
  const { committed, transactions, release } = held((text) => text.includes("bad"));
  const all = ["a", "bad", "c"].map((text) => transactions.change(() => [text]));
  const settled = Promise.allSettled(all);
  release();
  await all[0];
  release();
  expect((await settled).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  const next = transactions.change(() => ["d"]);
  release();
  await next;
  expect(committed).toEqual(["a", "badc", "d"]);
});
