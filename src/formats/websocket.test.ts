import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InvalidParameterError } from "#errors/errors.ts";
import { acceptKey, encodeFrame, FrameParser, OPCODE } from "./websocket.ts";

/** A frame as clients send it. */
function masked(opcode: number, payload: Uint8Array, isFinal = true): Buffer {
  const frame = encodeFrame(opcode, payload);
  const header = frame.subarray(0, frame.length - payload.length);
  const mask = Buffer.from([7, 11, 13, 17]);
  header[0] = (isFinal ? 0x80 : 0) | opcode;
  header[1] = (header[1] ?? 0) | 0x80;
  return Buffer.concat([header, mask, payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]);
}

function parse(bytes: Uint8Array, cut: number): { data: Buffer; controls: string[] } {
  const parser = new FrameParser();
  const parts = [];
  for (let at = 0; at < bytes.length; at += cut) parts.push(...parser.push(bytes.subarray(at, at + cut)));
  return {
    data: Buffer.concat(parts.filter(({ kind }) => kind === "data").map(({ payload }) => payload)),
    controls: parts.filter(({ kind }) => kind !== "data").map(({ kind, payload }) => `${kind} ${payload}`),
  };
}

test("acceptKey() of the RFC's example", () => {
  expect(acceptKey("dGhlIHNhbXBsZSBub25jZQ==")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

test("encodeFrame() writes each of the three lengths", () => {
  expect([...encodeFrame(OPCODE.text, Buffer.from("Hello"))]).toEqual([0x81, 5, ...Buffer.from("Hello")]);
  expect([...encodeFrame(OPCODE.binary, Buffer.alloc(256)).subarray(0, 4)]).toEqual([0x82, 126, 1, 0]);
  expect([...encodeFrame(OPCODE.binary, Buffer.alloc(65536)).subarray(0, 10)]).toEqual([
    0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0,
  ]);
});

describe("FrameParser", () => {
  test("reads what clients write, however it is cut", () => {
    const sizes = fc.constantFrom(0, 1, 125, 126, 200, 65535, 65536, 70000);
    fc.assert(
      fc.property(fc.array(sizes, { maxLength: 4 }), fc.integer({ min: 1, max: 70000 }), (lengths, cut) => {
        const payloads = lengths.map((length, index) => Buffer.alloc(length, index + 1));
        const bytes = Buffer.concat(payloads.map((payload) => masked(OPCODE.binary, payload)));
        expect(parse(bytes, bytes.length > 1000 ? Math.max(cut, 1000) : cut).data.equals(Buffer.concat(payloads))).toBe(
          true,
        );
      }),
      { numRuns: 50 },
    );
  });

  test("joins the parts of a message and hands out what stands between them", () => {
    const bytes = Buffer.concat([
      masked(OPCODE.text, Buffer.from("ab"), false),
      masked(OPCODE.ping, Buffer.from("p")),
      masked(OPCODE.continuation, Buffer.from("cd")),
      masked(OPCODE.close, Buffer.from([3, 232])),
    ]);
    const { data, controls } = parse(bytes, 1);
    expect(data.toString()).toBe("abcd");
    expect(controls.map((text) => text.split(" ")[0])).toEqual(["ping", "close"]);
  });

  test.each([
    ["unmasked", encodeFrame(OPCODE.text, Buffer.from("abcdef"))],
    ["reserved bits", Buffer.from([0xc1, 0x80, 0, 0, 0, 0])],
    ["unknown opcode", Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
    ["a control frame in parts", Buffer.from([0x09, 0x80, 0, 0, 0, 0])],
    ["a continuation of nothing", masked(OPCODE.continuation, Buffer.from("x"))],
  ])("refuses %s", (_, bytes) => {
    expect(() => new FrameParser().push(bytes)).toThrow(InvalidParameterError);
  });

  test("throws nothing but InvalidParameterError, whatever comes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          new FrameParser().push(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidParameterError);
        }
      }),
    );
  });
});
