import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LAST_CHUNK, writeChunk } from "./chunked-body.ts";
import { PushbackReader, readBody, readResponseHead, writeRequestHead } from "./http-message.ts";

function reader(bytes: Uint8Array, cut: number): PushbackReader {
  const parts = [bytes.subarray(0, cut), bytes.subarray(cut)]
    .filter((part) => part.length > 0)
    .map((part) => Buffer.from(part));
  return new PushbackReader({ read: async () => parts.shift() });
}

async function bodyOf(
  source: PushbackReader,
  headers: Readonly<Record<string, string>>,
  status: number = 200,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of readBody(source, { status, headers })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("readResponseHead()", () => {
  test("reads status and headers and leaves the rest", async () => {
    const source = reader(Buffer.from("HTTP/1.1 101 UPGRADED\r\nContent-Type: a/b\r\nX: 1:2\r\n\r\nrest"), 20);
    expect(await readResponseHead(source)).toEqual({ status: 101, headers: { "content-type": "a/b", x: "1:2" } });
    expect((await source.read())?.toString()).toBe("rest");
  });

  test("refuses what is not HTTP, endless or cut off", async () => {
    await expect(readResponseHead(reader(Buffer.from("SSH-2.0\r\n\r\n"), 3))).rejects.toThrow("it is not HTTP");
    await expect(readResponseHead(reader(Buffer.from("HTTP/1.1 200"), 3))).rejects.toThrow("unexpected EOF");
    const endless = new PushbackReader({ read: async () => Buffer.alloc(10_000, "x") });
    await expect(readResponseHead(endless)).rejects.toThrow("cannot read");
  });
});

describe("readBody()", () => {
  test("reads back what writeChunk() wrote, however it is cut", async () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(fc.array(chunk), fc.nat({ max: 200 }), async (chunks, cut) => {
        const wire = Buffer.concat([...chunks.map(writeChunk), LAST_CHUNK]);
        expect(await bodyOf(reader(wire, cut), { "transfer-encoding": "chunked" })).toEqual(Buffer.concat(chunks));
      }),
    );
  });

  test("gives small chunks that came together in one piece, large ones as they are", async () => {
    const small = [Buffer.from("one\n"), Buffer.from("two\n")];
    const large = [Buffer.alloc(40_000, "a"), Buffer.alloc(40_000, "b")];
    for (const [chunks, pieces] of [
      [small, [Buffer.concat(small)]],
      [large, large],
    ] as const) {
      const source = reader(Buffer.concat([...chunks.map(writeChunk), LAST_CHUNK]), 0);
      const read: Buffer[] = [];
      for await (const piece of readBody(source, { status: 200, headers: { "transfer-encoding": "chunked" } }))
        read.push(piece);
      expect(read).toEqual([...pieces]);
    }
  });

  test("reads a stated length and no more", async () => {
    const source = reader(Buffer.from("bodynext"), 2);
    expect((await bodyOf(source, { "content-length": "4" })).toString()).toBe("body");
    expect((await source.read())?.toString()).toBe("next");
  });

  test("reads to the end without either", async () => {
    expect((await bodyOf(reader(Buffer.from("all of it"), 3), {})).toString()).toBe("all of it");
  });

  test("reads nothing of 204 and 304", async () => {
    for (const status of [204, 304]) expect(await bodyOf(reader(Buffer.from("x"), 0), {}, status)).toHaveLength(0);
  });

  test("refuses a body that is cut off, and chunks that are none", async () => {
    await expect(bodyOf(reader(Buffer.from("ab"), 1), { "content-length": "3" })).rejects.toThrow(
      "1 bytes are missing",
    );
    await expect(bodyOf(reader(Buffer.from("zz\r\n"), 0), { "transfer-encoding": "chunked" })).rejects.toThrow(
      "malformed chunk",
    );
    for (const [cut, problem] of [
      ["5\r\nab", "3 bytes are missing"],
      ["2\r\nab\r\n", "unexpected EOF"],
      [`${"0".repeat(2000)}`, "a line has more than 1024 bytes"],
    ] as const) {
      const source = reader(Buffer.from(cut), 1);
      await expect(bodyOf(source, { "transfer-encoding": "chunked" })).rejects.toThrow(problem);
    }
  });
});

describe("writeRequestHead()", () => {
  test("lets no value break out of its line", () => {
    expect(writeRequestHead("GET", "/x", { A: "1\r\nEvil: 2" })).toBe("GET /x HTTP/1.1\r\nA: 1 Evil: 2\r\n\r\n");
  });
});
