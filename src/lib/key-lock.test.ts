import { expect, test } from "bun:test";
import { KeyLock } from "./key-lock.ts";

test("KeyLock.run() lets one in per key, first come first served", async () => {
  const locks = new KeyLock();
  const order: string[] = [];
  const work = (name: string, key: string, ms: number): Promise<void> =>
    locks.run(key, async () => {
      order.push(`${name} in`);
      await Bun.sleep(ms);
      order.push(`${name} out`);
    });
  await Promise.all([work("a", "k", 15), work("b", "k", 1), work("c", "other", 1)]);
  expect(order).toEqual(["a in", "c in", "c out", "a out", "b in", "b out"]);
  expect(locks.isHeld("k")).toBe(false);
});

test("KeyLock.acquire() passes its place on when its signal aborts", async () => {
  const locks = new KeyLock();
  const held = await locks.acquire("k");
  const abort = new AbortController();
  const second = locks.acquire("k", abort.signal);
  const third = locks.acquire("k");
  abort.abort(new Error("gone"));
  await expect(second).rejects.toThrow("gone");
  held[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  await Bun.sleep(0);
  expect(locks.isHeld("k")).toBe(false);
});

test("KeyLock.run() frees the key when the work throws", async () => {
  const locks = new KeyLock();
  await expect(locks.run("k", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await locks.run("k", async () => 1)).toBe(1);
});
