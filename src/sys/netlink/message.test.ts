import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Attribute,
  nameBytes,
  nameOf,
  parseAttributes,
  parseMessages,
  u8,
  u16,
  u32,
  writeAttributes,
  writeMessage,
} from "./message.ts";

const message = fc.record({
  type: fc.integer({ min: 0, max: 0xffff }),
  flags: fc.integer({ min: 0, max: 0xffff }),
  sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
  port: fc.integer({ min: 0, max: 0xffff_ffff }),
  body: fc.uint8Array({ maxLength: 64 }),
});

describe("parseMessages()", () => {
  test("reads what writeMessage() wrote, whatever follows", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
        const parsed = parseMessages(Buffer.concat(messages.map(writeMessage)));
        expect(parsed.map((one) => ({ ...one, body: [...one.body] }))).toEqual(
          messages.map((one) => ({ ...one, body: [...one.body] })),
        );
      }),
    );
  });

  test("ends at what is cut short, and takes any bytes", () => {
    const whole = writeMessage({ type: 1, flags: 2, sequence: 3, port: 4, body: Buffer.from("body") });
    expect(parseMessages(whole.subarray(0, whole.length - 1))).toEqual([]);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseMessages(Buffer.from(bytes))));
  });
});

describe("parseAttributes()", () => {
  test("reads what writeAttributes() wrote, nested ones too", () => {
    const leaf = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 0x3fff }), fc.uint8Array({ maxLength: 40 })), {
      selector: ([type]) => type,
      maxLength: 6,
    });
    fc.assert(
      fc.property(leaf, leaf, (outer, inner) => {
        const attributes: readonly Attribute[] = [...outer.filter(([type]) => type !== 77), [77, inner]];
        const parsed = parseAttributes(writeAttributes(attributes));
        for (const [type, value] of outer) if (type !== 77) expect([...(parsed.get(type) ?? [])]).toEqual([...value]);
        const nested = parseAttributes(parsed.get(77) ?? Buffer.alloc(0));
        for (const [type, value] of inner) expect([...(nested.get(type) ?? [])]).toEqual([...value]);
      }),
    );
  });

  test("takes any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseAttributes(bytes)));
  });
});

test("writeAttributes() refuses what 16 bits cannot count", () => {
  expect(() => writeAttributes([[1, Buffer.alloc(0xffff)]])).toThrow("netlink attribute 1");
});

test("numbers and names are the kernel's", () => {
  expect([...u8(7), ...u16(0x102), ...u32(0x1020304)]).toEqual([7, 2, 1, 4, 3, 2, 1]);
  expect(nameOf(nameBytes("eth0"))).toBe("eth0");
  expect([nameOf(Buffer.from("eth0")), nameOf(undefined)]).toEqual(["eth0", ""]);
});
