import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { constants, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { ZstdFrames } from "./zstd-frames.ts";

const skippable = Buffer.concat([Buffer.from("5d2a4d1805000000", "hex"), Buffer.from("index")]);

describe("ZstdFrames.isComplete", () => {
  test("is true exactly at the ends of frames, whatever the chunks", () => {
    const params = { [constants.ZSTD_c_checksumFlag]: 1 };
    const frames = [
      zstdCompressSync("one"),
      skippable,
      zstdCompressSync(randomBytes(300_000), { params }),
      zstdCompressSync(""),
    ];
    const stream = Buffer.concat(frames);
    const ends = new Set([0]);
    for (const frame of frames) ends.add(Math.max(...ends) + frame.length);
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 0, max: stream.length }), fc.constantFrom(...ends)),
        fc.integer({ min: 1, max: 5000 }),
        (size, chunkSize) => {
          const follower = new ZstdFrames();
          for (let at = 0; at < size; at += chunkSize)
            follower.push(stream.subarray(at, Math.min(at + chunkSize, size)));
          expect(follower.isComplete).toBe(ends.has(size));
        },
      ),
    );
  });

  test("is false for what is not zstd", () => {
    const follower = new ZstdFrames();
    follower.push(Buffer.from("certainly not"));
    expect(follower.isComplete).toBe(false);
  });
});
