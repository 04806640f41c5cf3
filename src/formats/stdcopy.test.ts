import { expect, test } from "bun:test";
import fc from "fast-check";
import { DataLossError } from "#errors/errors.ts";
import { type FrameStream, StdcopyReader, StdcopyWriter, writeFrame } from "./stdcopy.ts";

const frames = fc.array(fc.tuple(fc.constantFrom<FrameStream>(1, 2), fc.uint8Array({ maxLength: 300 })));

test("StdcopyReader gives back what StdcopyWriter packed, however the bytes are cut", () => {
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 50 }), (list, step) => {
      const writer = new StdcopyWriter(16);
      for (const [stream, bytes] of list) writer.add(stream, bytes);
      const packed = writer.take();
      const reader = new StdcopyReader();
      const found: Record<number, Buffer[]> = { 1: [], 2: [] };
      for (let at = 0; at < packed.length; at += step) {
        for (const piece of reader.push(packed.subarray(at, at + step))) found[piece.stream]?.push(piece.bytes);
      }
      reader.end();
      for (const stream of [1, 2]) {
        const wanted = Buffer.concat(list.filter(([which]) => which === stream).map(([, bytes]) => bytes));
        expect(Buffer.concat(found[stream] ?? []).equals(wanted)).toBe(true);
      }
    }),
  );
});

test("writeFrame() writes stream, three zeros and the length as big-endian 32 bits", () => {
  expect([...writeFrame(2, Buffer.from("hey"))]).toEqual([2, 0, 0, 0, 0, 0, 0, 3, 0x68, 0x65, 0x79]);
});

test("StdcopyWriter.add() puts a prefix before the bytes and counts it", () => {
  const writer = new StdcopyWriter();
  writer.add(1, Buffer.from("xxtextxx"), 2, 6, "T ");
  expect(writer.take().toString("latin1")).toBe("\x01\0\0\0\0\0\0\x06T text");
});

test("StdcopyReader refuses bytes that are no frames, and a stream that ends inside one", () => {
  expect(() => new StdcopyReader().push(Buffer.from("HTTP/1.1 200"))).toThrow(DataLossError);
  const reader = new StdcopyReader();
  reader.push(writeFrame(1, Buffer.from("hello")).subarray(0, 10));
  expect(() => reader.end()).toThrow(DataLossError);
});
