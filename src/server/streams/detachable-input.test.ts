import { expect, test } from "bun:test";
import { InvalidParameterError } from "#errors/errors.ts";
import { DetachableInput, detachKeys } from "./detachable-input.ts";

test("DetachableInput passes on what is typed up to the keys, and nothing after them", async () => {
  let detached = 0;
  const input = new DetachableInput(detachKeys(""), () => detached++);
  const seen: Buffer[] = [];
  input.on("data", (chunk) => seen.push(chunk));
  for (const typed of ["ls\x10", "x\x10", "\x11after", "more"]) input.write(typed);
  await Bun.sleep(1);
  expect(Buffer.concat(seen).toString()).toBe("ls\x10x");
  expect(detached).toBe(1);
});

test("detachKeys() refuses what it does not know in Docker's words", () => {
  expect(detachKeys("ctrl-a,b")).toEqual([1, 98]);
  expect(() => detachKeys("bad-key")).toThrow(new InvalidParameterError("Invalid detach keys (bad-key) provided"));
});
