import { expect, test } from "bun:test";
import { QuietTimer } from "./quiet-timer.ts";

test("QuietTimer acts once in each quiet, and not while something happens", async () => {
  let acts = 0;
  const timer = new QuietTimer(50, () => acts++);
  // A machine that stops for longer than the quiet between two looks would be quiet.
  for (const end = Date.now() + 150; Date.now() < end; await Bun.sleep(1)) timer.noticed();
  const during = acts;
  while (acts === during) await Bun.sleep(5);
  await Bun.sleep(120);
  expect(acts).toBe(during + 1);
  timer.noticed();
  while (acts === during + 1) await Bun.sleep(5);
  timer.noticed();
  timer.close();
  await Bun.sleep(120);
  expect([during, acts]).toEqual([0, 2]);
});
