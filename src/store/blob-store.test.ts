import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { DataLossError, NotFoundError } from "#errors/errors.ts";
import { digestHex, digestOf } from "#formats/digest.ts";
import { gzipStream } from "./blob-gzip.ts";
import { BlobStore } from "./blob-store.ts";

let directory: string;
let store: BlobStore;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "berth-blobs-"));
  store = new BlobStore(directory);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("BlobStore", () => {
  test("put() keeps bytes under their digest, readable by root only; read() gives them back", async () => {
    const digest = await store.put(Buffer.from("hello"));
    expect(digest).toBe(digestOf("hello"));
    expect(await store.put(Buffer.from("hello"))).toBe(digest);
    expect((await store.read(digest)).toString()).toBe("hello");
    expect(store.readSync(digest).toString()).toBe("hello");
    expect((await stat(join(directory, "sha256", digestHex(digest)))).mode & 0o777).toBe(0o600);
    expect(await store.list()).toEqual([digest]);
  });

  test("read() refuses damaged bytes, and put() mends them", async () => {
    const digest = await store.put(Buffer.from("hello"));
    await writeFile(join(directory, "sha256", digestHex(digest)), "hellO");
    await expect(store.read(digest)).rejects.toBeInstanceOf(DataLossError);
    expect(() => store.readSync(digest)).toThrow(DataLossError);
    await store.put(Buffer.from("hello"));
    expect((await store.read(digest)).toString()).toBe("hello");
  });

  test("remove() is idempotent; read() of nothing is a NotFoundError; sweepTemporaries() takes only temporary files", async () => {
    const digest = await store.put(Buffer.from("hello"));
    await writeFile(join(directory, "sha256", ".tmp-x"), "half");
    await store.sweepTemporaries();
    expect(await store.list()).toEqual([digest]);
    expect(await stat(join(directory, "sha256", ".tmp-x")).catch(() => "gone")).toBe("gone");
    await store.remove(digest);
    await store.remove(digest);
    await expect(store.read(digest)).rejects.toBeInstanceOf(NotFoundError);
    expect(await store.stat(digest)).toBeUndefined();
  });
});

describe("gzipStream()", () => {
  async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
  }
  const gzip = async (source: AsyncIterable<Uint8Array>): Promise<Buffer> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of gzipStream(source)) chunks.push(chunk);
    return Buffer.concat(chunks);
  };

  test("gives back the same bytes, and the same form each time", async () => {
    const bytes = Buffer.concat([randomBytes(300_000), Buffer.alloc(700_000)]);
    const first = await gzip(pieces(bytes));
    expect(gunzipSync(first).equals(bytes)).toBe(true);
    expect((await gzip(pieces(bytes))).equals(first)).toBe(true);
    expect(gunzipSync(await gzip(pieces(Buffer.alloc(0)))).length).toBe(0);
  });

  test("throws what its source throws", async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      yield randomBytes(200_000);
      throw new DataLossError("bad layer");
    };
    await expect(gzip(broken())).rejects.toThrow("bad layer");
  });

  test("may be left before its end", async () => {
    for await (const _ of gzipStream(pieces(randomBytes(3_000_000)))) break;
  });
});
