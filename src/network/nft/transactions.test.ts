import { expect, test } from "bun:test";
import { NftTransactions } from "./transactions.ts";

/** Transactions whose commits wait for `release`. */
function held(fails: (text: string) => boolean = () => false) {
  const committed: string[] = [];
  let release = (): void => undefined;
  const transactions = new NftTransactions(async (text) => {
    committed.push(text);
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    if (fails(text)) throw new Error(`cannot do ${text}`);
  });
  return { committed, transactions, release: () => release() };
}

test("NftTransactions.add() puts all that wait while one runs into the next", async () => {
  const { committed, transactions, release } = held();
  const all = ["a", "b", "c", "d"].map((text) => transactions.add("change", () => text));
  release();
  await all[0];
  release();
  await Promise.all(all);
  expect(committed).toEqual(["a", "bcd"]);
});

test("NftTransactions.add() needs no changes beside a whole table, which knows them; what goes alone keeps its place", async () => {
  const { committed, transactions, release } = held();
  const known: string[] = [];
  const change = (text: string): Promise<void> => {
    known.push(text);
    return transactions.add("change", () => text);
  };
  const whole = (): Promise<void> => transactions.add("whole", () => `whole(${known.join("")})`);
  const all = [
    change("a"),
    change("b"),
    whole(),
    change("c"),
    whole(),
    transactions.add("alone", () => "alone"),
    change("d"),
  ];
  for (const [index] of all.entries()) {
    release();
    await Promise.race([all[index], Bun.sleep(5)]);
  }
  await Promise.all(all);
  expect(committed).toEqual(["a", "whole(abcd)", "alone", "d"]);
});

test("NftTransactions.add() rejects all of a transaction that fails, and goes on", async () => {
  const { committed, transactions, release } = held((text) => text.includes("bad"));
  const all = ["a", "bad", "c"].map((text) => transactions.add("change", () => text));
  const settled = Promise.allSettled(all);
  release();
  await all[0];
  release();
  expect((await settled).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  const next = transactions.add("change", () => "d");
  release();
  await next;
  expect(committed).toEqual(["a", "badc", "d"]);
});
