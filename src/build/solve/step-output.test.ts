import { expect, test } from "bun:test";
import { OutputReplay } from "./step-output.ts";

test("OutputReplay keeps the last MiB", () => {
  const replay = new OutputReplay();
  for (let index = 0; index < 5; index++) replay.add({ stream: 1, bytes: new Uint8Array(300 * 1024).fill(index) });
  expect([...replay.values()].map(({ bytes }) => bytes[0])).toEqual([2, 3, 4]);
  replay.add({ stream: 2, bytes: new Uint8Array(2 * 1024 * 1024) });
  expect([...replay.values()]).toEqual([]);
});
