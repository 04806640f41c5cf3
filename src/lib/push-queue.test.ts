import { describe, expect, test } from "bun:test";
import { PushQueue } from "./push-queue.ts";

describe("PushQueue", () => {
  test("hands values on in order; push() resolves when its value is taken", async () => {
    const queue = new PushQueue<number>();
    let taken = 0;
    for (const value of [1, 2, 3]) void queue.push(value).then(() => taken++);
    const values = queue[Symbol.asyncIterator]();
    expect((await values.next()).value).toBe(1);
    expect(taken).toBe(1);
    queue.end();
    expect([(await values.next()).value, (await values.next()).value]).toEqual([2, 3]);
    expect((await values.next()).done).toBe(true);
    await queue.push(4);
    expect(queue.length).toBe(0);
  });

  test("an iteration that is left releases who pushes", async () => {
    const queue = new PushQueue<number>();
    const pushed = [queue.push(1), queue.push(2)];
    for await (const _ of queue) break;
    await Promise.all(pushed);
  });
});
