import { describe, expect, test } from "bun:test";
import { TAR_END, tarHeader, tarPadding } from "./tar-writer.ts";
import { TimelessDigest, timelessly } from "./timeless-digest.ts";

interface File {
  readonly path: string;
  readonly content: string;
  readonly mode?: number;
  readonly seconds?: number;
}

function tar(files: readonly File[]): Buffer {
  const pieces = files.flatMap(({ path, content, mode = 0o644, seconds = 0 }) => {
    const bytes = Buffer.from(content);
    const mtime = { seconds, nanoseconds: 0 };
    return [
      tarHeader({ path, type: "file", mode, uid: 0, gid: 0, mtime, size: bytes.length }),
      bytes,
      tarPadding(bytes.length),
    ];
  });
  return Buffer.concat([...pieces, TAR_END]);
}

function digest(files: readonly File[]): string {
  const timeless = new TimelessDigest();
  for (const byte of tar(files)) timeless.push(Uint8Array.of(byte));
  return timeless.digest();
}

describe("TimelessDigest", () => {
  test("times do not count; names, modes and content do", () => {
    const plain = digest([{ path: "a", content: "x" }]);
    expect(digest([{ path: "a", content: "x", seconds: 1_700_000_000 }])).toBe(plain);
    expect(digest([{ path: "b", content: "x" }])).not.toBe(plain);
    expect(digest([{ path: "a", content: "y" }])).not.toBe(plain);
    expect(digest([{ path: "a", content: "x", mode: 0o755 }])).not.toBe(plain);
  });

  test("a file's bytes cannot pass for another entry", () => {
    const joined = digest([{ path: "a", content: '["b","file",420,0,0,0,"",0,0,[],[]]\n' }]);
    expect(
      digest([
        { path: "a", content: "" },
        { path: "b", content: "" },
      ]),
    ).not.toBe(joined);
  });

  test("timelessly() passes the bytes on and tells the digest at the end", async () => {
    const bytes = tar([{ path: "a", content: "x", seconds: 5 }]);
    const seen: string[] = [];
    const passed: Uint8Array[] = [];
    const source = (async function* (): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 700);
      yield bytes.subarray(700);
    })();
    for await (const chunk of timelessly(source, (value) => seen.push(value))) passed.push(chunk);
    expect(Buffer.concat(passed).equals(bytes)).toBe(true);
    expect(seen).toEqual([digest([{ path: "a", content: "x" }])]);
  });
});
