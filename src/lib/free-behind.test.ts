import { describe, expect, test } from "bun:test";
import { freeBehind } from "./free-behind.ts";

const LARGE = 64 * 1024;

async function* streamOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks;
}

describe("freeBehind", () => {
  test("a chunk is whole while it is looked at, and gone when the next is asked for", async () => {
    const [first, second] = [new Uint8Array(LARGE).fill(1), new Uint8Array(LARGE).fill(2)];
    const chunks = freeBehind(streamOf(first, second));
    expect((await chunks.next()).value).toEqual(new Uint8Array(LARGE).fill(1));
    expect(first.length).toBe(LARGE);
    expect((await chunks.next()).value).toEqual(new Uint8Array(LARGE).fill(2));
    expect([first.length, second.length]).toEqual([0, LARGE]);
    expect((await chunks.next()).done).toBe(true);
    expect(second.length).toBe(0);
  });

  test("memory that a chunk shares with others stays: views of a larger buffer, small chunks", async () => {
    const whole = new Uint8Array(2 * LARGE).fill(1);
    const small = new Uint8Array(100).fill(2);
    for await (const chunk of freeBehind(streamOf(whole.subarray(0, LARGE), small)))
      expect(chunk.length).toBePositive();
    expect([whole.length, whole[0], small.length, small[0]]).toEqual([2 * LARGE, 1, 100, 2]);
  });

  test("isOnlyView: a part of a buffer takes the rest with it", async () => {
    const whole = new Uint8Array(2 * LARGE);
    const chunks = freeBehind(streamOf(whole.subarray(10, LARGE)), { isOnlyView: true });
    await chunks.next();
    await chunks.next();
    expect(whole.length).toBe(0);
  });

  test("a consumer that leaves ends the source", async () => {
    let isOpen = true;
    async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        for (;;) yield new Uint8Array(LARGE);
      } finally {
        isOpen = false;
      }
    }
    for await (const _chunk of freeBehind(source())) break;
    expect(isOpen).toBe(false);
  });
});
