import { describe, expect, test } from "bun:test";
import { readTar } from "./tar-reader.ts";
import { TAR_END, tarHeader, tarPadding } from "./tar-writer.ts";

const base = { type: "file", mode: 0o644, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 } } as const;

function archive(): Buffer {
  const files = ["first", "second", "third"].map((name, index) => {
    const content = Buffer.alloc(1000 * (index + 1), name);
    return Buffer.concat([
      tarHeader({ ...base, path: name, size: content.length }),
      content,
      tarPadding(content.length),
    ]);
  });
  return Buffer.concat([...files, TAR_END]);
}

async function* chunksOf(bytes: Uint8Array, size: number, onReturn?: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  } finally {
    onReturn?.();
  }
}

describe("readTar()", () => {
  test.each([100, 512, 700, 1_000_000])("gives each entry its body, in chunks of %d", async (size) => {
    const found: string[] = [];
    for await (const { entry, body } of readTar(chunksOf(archive(), size))) {
      const pieces: Uint8Array[] = [];
      for await (const piece of body) pieces.push(piece);
      const content = Buffer.concat(pieces);
      expect(Buffer.compare(content, Buffer.alloc(content.length, entry.path))).toBe(0);
      found.push(`${entry.path} ${content.length}`);
    }
    expect(found).toEqual(["first 1000", "second 2000", "third 3000"]);
  });

  test("skips bodies that nobody read, whole or in part", async () => {
    const found: string[] = [];
    for await (const { entry, body } of readTar(chunksOf(archive(), 300))) {
      if (entry.path === "second") for await (const _piece of body) break;
      found.push(entry.path);
    }
    expect(found).toEqual(["first", "second", "third"]);
  });

  test("stops the source when the loop is left", async () => {
    let returned = false;
    for await (const { entry } of readTar(chunksOf(archive(), 300, () => (returned = true)))) {
      if (entry.path === "first") break;
    }
    expect(returned).toBe(true);
  });

  test("rejects a truncated body", async () => {
    const read = async (): Promise<void> => {
      for await (const { body } of readTar(chunksOf(archive().subarray(0, 2000), 300))) for await (const _ of body);
    };
    await expect(read()).rejects.toThrow("truncated");
  });
});
