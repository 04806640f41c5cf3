import { expect, test } from "bun:test";
import fc from "fast-check";
import { wholeContent } from "./sparse-content.ts";

/** Holes and pieces by turns. */
const LENGTHS = fc.array(fc.tuple(fc.nat(200_000), fc.integer({ min: 1, max: 5000 })), { maxLength: 6 });

test("wholeContent() puts the pieces of a sparse file where they belong, however its bytes arrive", async () => {
  await fc.assert(
    fc.asyncProperty(LENGTHS, fc.nat(1000), fc.integer({ min: 1, max: 7000 }), async (lengths, tail, chunkSize) => {
      let size = 0;
      const sparse = lengths.map(([hole, length]) => {
        const offset = size + hole;
        size = offset + length;
        return { offset, length };
      });
      size += tail;
      const stored = Buffer.concat(sparse.map(({ length }, index) => Buffer.alloc(length, index + 1)));
      const expected = Buffer.alloc(size);
      for (const [index, { offset, length }] of sparse.entries()) expected.fill(index + 1, offset, offset + length);
      const chunks: Uint8Array[] = [];
      for await (const chunk of wholeContent({ size, sparse }, inChunks(stored, chunkSize))) chunks.push(chunk);
      expect(Buffer.compare(Buffer.concat(chunks), expected)).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test("wholeContent() passes the bytes of a plain file on as they are", async () => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of wholeContent({ size: 3 }, inChunks(Buffer.from("abc"), 2))) chunks.push(chunk);
  expect(chunks.map((chunk) => Buffer.from(chunk).toString())).toEqual(["ab", "c"]);
});

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
