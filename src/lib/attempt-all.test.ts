import { expect, test } from "bun:test";
import { attemptAll } from "./attempt-all.ts";

test("attemptAll() takes every step in its turn, and gives what those failed with that did", async () => {
  const taken: string[] = [];
  const step = (name: string, error?: Error) => async () => {
    await Bun.sleep(1);
    taken.push(name);
    if (error) throw error;
  };
  const [first, second] = [new Error("first"), new Error("second")];
  const thrown = (): never => {
    throw second;
  };
  expect(await attemptAll([step("a", first), step("b"), thrown, step("c")])).toEqual([first, second]);
  expect(taken).toEqual(["a", "b", "c"]);
  expect(await attemptAll([])).toEqual([]);
});
