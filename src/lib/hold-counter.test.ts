import { expect, test } from "bun:test";
import { HoldCounter } from "./hold-counter.ts";

test("HoldCounter.isHeld() is so until the last hold of the key is disposed", () => {
  const holds = new HoldCounter();
  const [first, second] = [holds.hold("a"), holds.hold("a")];
  first[Symbol.dispose]();
  expect([holds.isHeld("a"), holds.isHeld("b")]).toEqual([true, false]);
  second[Symbol.dispose]();
  expect(holds.isHeld("a")).toBe(false);
});
