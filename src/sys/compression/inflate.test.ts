import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { CancelledError, DataLossError, InvalidParameterError } from "#errors/errors.ts";
import { CompressedSource, detectCompression } from "./compressed-source.ts";
import { igzipInto } from "./igzip.ts";
import { type InflateOptions, inflate } from "./inflate.ts";
import { DEFAULT_INFLATE_LIMITS } from "./inflate-limits.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-inflate-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const content = Buffer.concat([randomBytes(300_000), Buffer.alloc(3_000_000, "text "), randomBytes(100_000)]);

async function* chunksOf(bytes: Uint8Array, size = 60_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

type Inflater = (source: AsyncIterable<Uint8Array>, options?: InflateOptions) => Promise<Buffer>;

const asStream: Inflater = async (source, options) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of inflate(source, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const intoFile: Inflater = async (source, options) => {
  const path = join(directory, randomBytes(4).toString("hex"));
  writeFileSync(path, "head");
  const grown: number[] = [];
  const onGrow = (size: number): number => grown.push(size);
  await igzipInto(path, new CompressedSource(source, options?.signal), { ...options, onGrow });
  const bytes = readFileSync(path);
  expect(bytes.subarray(0, 4).toString()).toBe("head");
  expect(grown.at(-1)).toBe(bytes.length);
  return bytes.subarray(4);
};

function children(): string {
  return readFileSync(`/proc/self/task/${process.pid}/children`, "utf8");
}

const INFLATERS: [string, Inflater][] = [
  ["inflate()", asStream],
  ["igzipInto()", intoFile],
];

describe.each(INFLATERS)("gzip through %s", (_name, run) => {
  test("gives the content back, of one member or several, whatever the chunks", async () => {
    expect(Buffer.compare(await run(chunksOf(gzipSync(content))), content)).toBe(0);
    const members = Buffer.concat([
      gzipSync(content.subarray(0, 1000)),
      gzipSync(""),
      gzipSync(content.subarray(1000)),
    ]);
    expect(Buffer.compare(await run(chunksOf(members)), content)).toBe(0);
    expect((await run(chunksOf(gzipSync("small"), 1))).toString()).toBe("small");
  });

  test("rejects truncated and corrupt input", async () => {
    const packed = gzipSync(content);
    const corrupt = Buffer.from(packed);
    corrupt.fill(0xff, 100_000, 100_200);
    const wrongSum = Buffer.from(packed);
    wrongSum[wrongSum.length - 6]! ^= 1;
    for (const bad of [packed.subarray(0, 200_000), packed.subarray(0, -3), corrupt, wrongSum]) {
      await expect(run(chunksOf(bad))).rejects.toThrow(new DataLossError("corrupt or truncated gzip data"));
    }
    expect(children()).toBe("");
  });

  test("passes the source's own error on", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield gzipSync(content).subarray(0, 100_000);
      throw new Error("connection reset");
    }
    await expect(run(broken())).rejects.toThrow("connection reset");
    expect(children()).toBe("");
  });

  test("stops on abort while the source hangs", async () => {
    const abort = new AbortController();
    async function* hanging(): AsyncGenerator<Uint8Array> {
      yield gzipSync(content).subarray(0, 100_000);
      setTimeout(() => abort.abort(), 20);
      await new Promise(() => undefined);
    }
    await expect(run(hanging(), { signal: abort.signal })).rejects.toBeInstanceOf(CancelledError);
    expect(children()).toBe("");
  });

  test("refuses bombs, by ratio and by size", async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000));
    const limits = { ...DEFAULT_INFLATE_LIMITS, freeBytes: 10_000_000 };
    const refused = run(chunksOf(bomb), { limits });
    await expect(refused).rejects.toBeInstanceOf(InvalidParameterError);
    await expect(run(chunksOf(bomb), { limits })).rejects.toThrow("the limit of 200 times");
    await expect(run(chunksOf(bomb), { limits: { ...limits, maxBytes: 1_000_000 } })).rejects.toThrow(
      "larger than the limit of 1000000 bytes",
    );
    expect((await run(chunksOf(bomb))).length).toBe(20_000_000);
    expect(children()).toBe("");
  });
});

describe("inflate()", () => {
  test.each(["xz", "bzip2", "zstd"])("reads %s", async (program) => {
    const packed =
      program === "zstd"
        ? zstdCompressSync(content)
        : execFileSync(program, ["-c"], { input: content, maxBuffer: 10 ** 7 });
    expect(Buffer.compare(await asStream(chunksOf(packed)), content)).toBe(0);
    await expect(asStream(chunksOf(packed.subarray(0, 150_000)))).rejects.toThrow(
      `corrupt or truncated ${program} data`,
    );
    expect(children()).toBe("");
  });

  test("reads several zstd frames, and skips what zstd:chunked keeps between them", async () => {
    const skippable = Buffer.concat([Buffer.from("502a4d1805000000", "hex"), Buffer.from("index")]);
    const frames = [
      zstdCompressSync(content.subarray(0, 1000)),
      skippable,
      zstdCompressSync(content.subarray(1000)),
      skippable,
    ];
    expect(Buffer.compare(await asStream(chunksOf(Buffer.concat(frames))), content)).toBe(0);
  });

  test("gives plain and empty streams back as they are", async () => {
    expect(Buffer.compare(await asStream(chunksOf(content, 3)), content)).toBe(0);
    expect((await asStream(chunksOf(Buffer.alloc(0)))).length).toBe(0);
    expect((await asStream(chunksOf(Buffer.from([0x1f])))).length).toBe(1);
  });

  test("stops the source and the work when the loop is left", async () => {
    let stopped = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield* chunksOf(gzipSync(content));
      } finally {
        stopped = true;
      }
    }
    for await (const _chunk of inflate(source())) break;
    expect(stopped).toBe(true);
  });
});

describe("igzipInto()", () => {
  test("reports a full disk as ENOSPC, not as bad input", async () => {
    const small = join(directory, "small");
    execFileSync("mkdir", [small]);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small]);
    try {
      writeFileSync(join(small, "file"), "");
      const source = new CompressedSource(chunksOf(gzipSync(content)));
      await expect(igzipInto(join(small, "file"), source, { onGrow: () => undefined })).rejects.toMatchObject({
        code: "ENOSPC",
      });
    } finally {
      execFileSync("umount", [small]);
    }
  });
});

describe("detectCompression()", () => {
  test("tells formats by their first bytes", () => {
    expect(detectCompression(gzipSync("x"))).toBe("gzip");
    expect(detectCompression(zstdCompressSync("x"))).toBe("zstd");
    expect(detectCompression(Buffer.from("fd377a585a00", "hex"))).toBe("xz");
    expect(detectCompression(Buffer.from("BZh9"))).toBe("bzip2");
    expect(detectCompression(Buffer.from("etc/passwd"))).toBe("none");
    expect(detectCompression(new Uint8Array(0))).toBe("none");
  });
});
