import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DEFAULT_DETACH_KEYS, DetachFilter, parseDetachKeys } from "./detach-keys.ts";

describe("parseDetachKeys()", () => {
  test("reads control keys and letters", () =>
    expect(parseDetachKeys("ctrl-p,ctrl-q,a,ctrl-[,ctrl-@")).toEqual([16, 17, 97, 27, 0]));
  test("refuses other words", () => expect(() => parseDetachKeys("foo")).toThrow("unknown character: 'foo'"));
});

describe("DetachFilter", () => {
  const keys = parseDetachKeys(DEFAULT_DETACH_KEYS);

  test("sees the keys over the borders of chunks, and passes on what came before", () => {
    const filter = new DetachFilter(keys);
    expect(filter.push(Buffer.from("ab\x10"))).toEqual({ bytes: Uint8Array.from(Buffer.from("ab")), detached: false });
    expect(filter.push(Buffer.from("\x11c")).detached).toBe(true);
  });

  test("passes a begun sequence on when it breaks off", () => {
    const filter = new DetachFilter(keys);
    expect(filter.push(Buffer.from("\x10")).bytes).toHaveLength(0);
    expect(Buffer.from(filter.push(Buffer.from("\x10x")).bytes)).toEqual(Buffer.from("\x10\x10x"));
  });

  test("loses and adds nothing when the keys are not typed", () => {
    const typed = fc.uint8Array().filter((bytes) => !Buffer.from(bytes).includes(Buffer.from("\x10\x11")));
    fc.assert(
      fc.property(typed, fc.nat({ max: 20 }), (bytes, cut) => {
        const filter = new DetachFilter(keys);
        const parts = [bytes.subarray(0, cut), bytes.subarray(cut), Uint8Array.of(0)].map(
          (part) => filter.push(part).bytes,
        );
        expect(Buffer.concat(parts)).toEqual(Buffer.concat([bytes, Uint8Array.of(0)]));
      }),
    );
  });
});
