import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { OfferedEntry } from "./offered-entries.ts";
import { RequestWindow } from "./request-window.ts";

function fileOf(id: number, size: number): OfferedEntry {
  return { id, line: { p: `file${id}`, t: "f", m: 0o644, s: size, mt: 0, ct: 0, i: 0 } };
}

/** Plays a client that answers the open requests in any order, a packet of this and a packet of that. */
function play(contents: readonly Buffer[], choose: (count: number) => number): Buffer {
  const window = new RequestWindow(contents.map((content, id) => fileOf(id, content.length)));
  const open: { readonly id: number; at: number }[] = [];
  const out: Uint8Array[] = [];
  for (;;) {
    out.push(...window.ready());
    for (const id of window.due()) open.push({ id, at: 0 });
    if (window.isDone) return Buffer.concat(out);
    const index = choose(open.length);
    const answer = open[index];
    if (!answer) throw new Error("nothing is asked for, and not all is there");
    const content = contents[answer.id] ?? Buffer.alloc(0);
    const packet = content.subarray(answer.at, answer.at + 3);
    window.take(answer.id, packet);
    answer.at += packet.length;
    if (packet.length === 0) open.splice(index, 1);
  }
}

describe("RequestWindow", () => {
  test("puts contents in order, whatever the order of the packets", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        (arrays, numbers) => {
          const contents = arrays.map((array) => Buffer.from(array));
          const next = numbers[Symbol.iterator]();
          expect(play(contents, (count) => (next.next().value ?? 0) % count)).toEqual(Buffer.concat(contents));
        },
      ),
    );
  });

  test("asks ahead no more than fits, and for a large file only when it is its turn", () => {
    const megabyte = 1024 * 1024;
    const window = new RequestWindow([10, 1, 1, 3, 100].map((size, id) => fileOf(id, size * megabyte)));
    expect([...window.due()]).toEqual([0, 1, 2]);
    const many = new RequestWindow(Array.from({ length: 1000 }, (_, id) => fileOf(id, 0)));
    expect([...many.due()]).toHaveLength(256);
  });

  test("refuses what was not asked for, and another length than was said", () => {
    const window = new RequestWindow([fileOf(5, 2)]);
    expect(() => window.take(5, Buffer.from("x"))).toThrow("not asked for");
    expect([...window.due()]).toEqual([5]);
    expect(() => window.take(6, Buffer.from("x"))).toThrow("not asked for");
    expect(() => window.take(5, Buffer.alloc(0))).toThrow('"file5" shrank while it was read');
    expect(() => window.take(5, Buffer.from("xxx"))).toThrow('"file5" grew while it was read');
  });
});
