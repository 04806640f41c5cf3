import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { DataLossError, InvalidParameterError, SystemError } from "#errors/errors.ts";
import { digestHex, digestOf } from "#formats/digest.ts";
import { writePax } from "#formats/tar/pax.ts";
import type { TarHeader } from "#formats/tar/tar-entry.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { Database } from "./database.ts";
import { TAR_OFFSET } from "./layer-file.ts";
import { LayerFileStore } from "./layer-file-store.ts";
import type { Layer } from "./layer-store.ts";

let directory: string;
let layers: string;
let database: Database;
let store: LayerFileStore;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-layer-store-"));
  layers = join(directory, "layers");
  database = new Database(join(directory, "db"));
  store = new LayerFileStore({ directory: layers, database });
});

afterEach(() => {
  database[Symbol.dispose]();
  rmSync(directory, { recursive: true, force: true });
});

const base = { type: "file", mode: 0o644, uid: 0, gid: 0, size: 0, mtime: { seconds: 0, nanoseconds: 0 } } as const;

function file(path: string, content: Uint8Array | string, extra: Partial<TarHeader> = {}): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([tarHeader({ ...base, path, size: bytes.length, ...extra }), bytes, tarPadding(bytes.length)]);
}

function archive(...entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...entries, TAR_END]);
}

/** About 3 MB that do not compress to nothing. */
const sample = archive(file("a", randomBytes(1_000_000)), file("b", Buffer.alloc(2_000_000, "text")), file("c", "end"));

async function* chunksOf(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function files(): string[] {
  return existsSync(layers) ? readdirSync(layers) : [];
}

async function tarOf(layer: Layer): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.readTar(layer)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function addImage(id: string, ...ids: readonly Layer[]): void {
  database.statement("INSERT INTO images (id, created, size, record) VALUES (?, 0, 0, '{}')").run(id);
  for (const [position, { diffId }] of ids.entries()) {
    database.statement("INSERT INTO image_layers VALUES (?, ?, ?)").run(id, position, diffId);
  }
}

async function damage(path: string, position: number): Promise<void> {
  const handle = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, position);
  byte[0]! ^= 0x55;
  await handle.write(byte, 0, 1, position);
  await handle.close();
}

describe("LayerFileStore.ingest()", () => {
  test.each([
    ["plain", sample, true],
    ["gzip by igzip", gzipSync(sample), true],
    ["gzip by zlib", gzipSync(sample), false],
    ["zstd", zstdCompressSync(sample), true],
  ])("keeps the tar of a %s source, byte for byte", async (_name, source, useIgzip) => {
    store = new LayerFileStore({ directory: layers, database, useIgzip });
    const blob = { digest: digestOf(source), size: source.length, mediaType: "test" };
    let progress = 0;
    const layer = await store.ingest(chunksOf(source), {
      diffId: digestOf(sample),
      blob,
      onProgress: (bytes) => {
        progress = bytes;
      },
    });
    expect(layer).toMatchObject({ diffId: digestOf(sample), size: sample.length, contentSize: 3_000_003 });
    expect(layer.fileSize).toBe(statSync(layer.path).blocks * 512);
    expect(statSync(layer.path).mode & 0o777).toBe(0o400);
    expect(progress).toBe(source.length);
    expect(files()).toEqual([digestHex(layer.diffId)]);
    expect(Buffer.compare(await tarOf(layer), sample)).toBe(0);
    expect(store.layer(layer.diffId)).toEqual(layer);
    expect(store.blobsOf(layer.diffId)).toEqual([blob]);
    expect(await store.verify(layer)).toBeUndefined();
  });

  test("is the same file whichever way the tar came", async () => {
    const plain = await store.ingest(chunksOf(sample));
    const first = Bun.file(plain.path);
    const bytes = Buffer.from(await first.arrayBuffer());
    await store.removeUnreferenced([plain.diffId]);
    const packed = await store.ingest(chunksOf(gzipSync(sample)));
    expect(Buffer.compare(Buffer.from(await Bun.file(packed.path).arrayBuffer()), bytes)).toBe(0);
  });

  test("returns the layer that is already there, also to several callers at once", async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => store.ingest(chunksOf(gzipSync(sample)))));
    expect(new Set(all.map((layer) => layer.diffId)).size).toBe(1);
    expect(files().length).toBe(1);
    const inode = statSync(all[0]!.path).ino;
    await store.ingest(chunksOf(sample));
    expect(statSync(all[0]!.path).ino).toBe(inode);
  });

  test("mends a layer whose file was lost", async () => {
    const layer = await store.ingest(chunksOf(sample));
    rmSync(layer.path);
    await store.ingest(chunksOf(sample));
    expect(await store.verify(layer)).toBeUndefined();
  });

  const packed = gzipSync(sample);
  const blob = { digest: digestOf(packed), size: packed.length, mediaType: "test" };
  test.each([
    ["a blob of another digest", packed, { blob: { ...blob, digest: digestOf("x") } }, "layer verification failed"],
    ["a blob that is too short", packed.subarray(0, -1), { blob }, "corrupt or truncated gzip"],
    ["a plain blob that is too short", sample, { blob: { ...blob, size: sample.length + 1 } }, "expected 30"],
    ["a blob that is too long", packed, { blob: { ...blob, size: 10 } }, "expected 10 bytes, got more"],
    ["another diffID", packed, { diffId: digestOf("x") }, "don't match image configuration"],
    ["a truncated tar", sample.subarray(0, 500_000), {}, "truncated"],
    ["what is no tar", randomBytes(5000), {}, "wrong checksum"],
    ["broken gzip", packed.subarray(0, 500_000), {}, "corrupt or truncated gzip data"],
  ])("rejects %s and leaves nothing", async (_name, source, options, message) => {
    await expect(store.ingest(chunksOf(source), options)).rejects.toThrow(message);
    await expect(store.ingest(chunksOf(source), options)).rejects.toBeInstanceOf(DataLossError);
    expect(files()).toEqual([]);
    expect(store.list()).toEqual([]);
  });

  test.each([
    [
      "a path out of the layer",
      file("a/../../etc/passwd", ""),
      'entry "a/../../etc/passwd": it is outside of the layer',
    ],
    [
      "a hard link out of the layer",
      file("x", "", { type: "hardlink", linkPath: "../etc/shadow" }),
      "outside of the layer",
    ],
    [
      "a hard link to what is not there",
      file("x", "", { type: "hardlink", linkPath: "y" }),
      'a hard link to "y", which is not in this layer',
    ],
    ["a file below a file", archive(file("f", "").subarray(0), file("f/x", "")), '"f" on the way is not a directory'],
    [
      "a link loop on the way",
      archive(file("l", "", { type: "symlink", linkPath: "l" }), file("l/x", "")),
      "too many symbolic links",
    ],
    ["a whiteout of no name", file(".wh...", ""), "a whiteout of no name"],
    ["a name that is too long", file("n".repeat(256), ""), "a name of 256 bytes"],
    ["an impossible owner", file("x", "", { uid: 0xffffffff }), "the owner 4294967295"],
  ])("refuses %s", async (_name, entries, message) => {
    const source = entries.subarray(-TAR_END.length).every((byte) => byte === 0) ? entries : archive(entries);
    await expect(store.ingest(chunksOf(source))).rejects.toThrow(message);
    await expect(store.ingest(chunksOf(source))).rejects.toBeInstanceOf(InvalidParameterError);
    expect(files()).toEqual([]);
  });

  test.each([true, false])("refuses a decompression bomb (igzip: %p)", async (useIgzip) => {
    const inflateLimits = { freeBytes: 2_000_000, maxRatio: 200, maxBytes: 10 ** 9 };
    store = new LayerFileStore({ directory: layers, database, useIgzip, inflateLimits });
    const bomb = gzipSync(archive(file("zeros", Buffer.alloc(20_000_000))));
    await expect(store.ingest(chunksOf(bomb))).rejects.toThrow("the limit of 200 times");
    expect(files()).toEqual([]);
  });

  test("stops on abort and leaves nothing", async () => {
    const abort = new AbortController();
    async function* hanging(): AsyncGenerator<Uint8Array> {
      yield sample.subarray(0, 2_000_000);
      setTimeout(() => abort.abort(), 10);
      await new Promise(() => undefined);
    }
    await expect(store.ingest(hanging(), { signal: abort.signal })).rejects.toThrow("cancelled");
    expect(files()).toEqual([]);
  });

  test.each([true, false])("reports a full disk once and leaves nothing (igzip: %p)", async (useIgzip) => {
    mkdirSync(layers);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", layers]);
    try {
      store = new LayerFileStore({ directory: layers, database, useIgzip });
      const refused = store.ingest(chunksOf(gzipSync(sample)));
      await expect(refused).rejects.toThrow("cannot write layer: no space left on device");
      await expect(refused).rejects.toBeInstanceOf(SystemError);
      expect(files()).toEqual([]);
    } finally {
      execFileSync("umount", [layers]);
    }
  });
});

describe("LayerFileStore.verify()", () => {
  test("names damage of the tar, the index and the first page, and a missing or short file", async () => {
    const sparse = Buffer.concat([file("x", "", { size: 0 }), archive(file("a", randomBytes(5000)), file("b", "b"))]);
    const layer = await store.ingest(chunksOf(sparse));
    expect(await store.verify(layer)).toBeUndefined();
    const cases: readonly (readonly [number, string])[] = [
      [TAR_OFFSET + 5, "its content is damaged"],
      [TAR_OFFSET + 2000, "its content is damaged"],
      [TAR_OFFSET + layer.size + 300, "its index is damaged"],
      [1024 + 40, "its index is damaged"],
      [3, "its index is damaged"],
    ];
    for (const [position, problem] of cases) {
      await damage(layer.path, position);
      expect(await store.verify(layer)).toContain(problem);
      await damage(layer.path, position);
    }
    expect(await store.verify(layer)).toBeUndefined();
    execFileSync("truncate", ["-s", "6000", layer.path]);
    expect(await store.verify(layer)).toContain("too short");
    rmSync(layer.path);
    expect(await store.verify(layer)).toBe("its file is missing");
    await expect(tarOf(layer)).rejects.toThrow("its file is missing");
  });

  test("names damage of a sparse file's zone", async () => {
    const map = writePax([
      ["GNU.sparse.map", "1024,512,1048576,512"],
      ["GNU.sparse.size", "2097152"],
    ]);
    const header = Buffer.from(tarHeader({ ...base, path: "pax", size: map.length }));
    header[156] = "x".charCodeAt(0);
    header.fill(0x20, 148, 156);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
      "latin1",
    );
    const layer = await store.ingest(
      chunksOf(archive(header, map, tarPadding(map.length), file("sparse", randomBytes(1024)))),
    );
    expect(layer.contentSize).toBe(2_097_152);
    expect(layer.fileSize).toBeLessThan(200_000);
    expect(await store.verify(layer)).toBeUndefined();
    const zone = TAR_OFFSET + layer.size;
    await damage(layer.path, zone + 1_048_576 + 7);
    expect(await store.verify(layer)).toContain("its index is damaged");
    await damage(layer.path, zone + 1_048_576 + 7);
    await damage(layer.path, zone + 500_000);
    expect(await store.verify(layer)).toContain("its index is damaged");
  });
});

describe("LayerFileStore.removeUnreferenced()", () => {
  test("removes only what no image, cache entry or caller uses", async () => {
    const made = await Promise.all(
      ["1", "2", "3", "4"].map((name) => store.ingest(chunksOf(archive(file(name, name))))),
    );
    const [ofImage, ofCache, ofContainer, free] = made as [Layer, Layer, Layer, Layer];
    addImage("sha256:image", ofImage);
    database
      .statement(
        "INSERT INTO build_cache (key, parent, diff_id, description, record, created, last_used, uses) VALUES ('key', NULL, ?, 'RUN', '{}', 0, 0, 0)",
      )
      .run(ofCache.diffId);
    const ids = made.map((layer) => layer.diffId);
    const removal = await store.removeUnreferenced(ids, new Set([ofContainer.diffId]));
    expect(removal).toEqual({ removed: [free.diffId], freedBytes: free.fileSize });
    await store.settled();
    expect(files().sort()).toEqual([ofImage, ofCache, ofContainer].map((layer) => digestHex(layer.diffId)).sort());
    expect(await store.removeUnreferenced([free.diffId])).toEqual({ removed: [], freedBytes: 0 });
  });

  test("spares what was touched under an open lease, until it is released", async () => {
    const old = await store.ingest(chunksOf(archive(file("old", ""))));
    const untouched = await store.ingest(chunksOf(archive(file("untouched", ""))));
    await store.withLease(async () => {
      const made = await store.ingest(chunksOf(archive(file("new", ""))));
      store.layer(old.diffId);
      const removal = await store.removeUnreferenced([old.diffId, untouched.diffId, made.diffId]);
      expect(removal.removed).toEqual([untouched.diffId]);
    });
    expect((await store.removeUnreferenced([old.diffId])).removed).toEqual([old.diffId]);
  });

  test("and ingest of the same layer at once leave a whole layer or none", async () => {
    const layer = await store.ingest(chunksOf(sample));
    for (let round = 0; round < 10; round++) {
      await Promise.all([store.ingest(chunksOf(sample)), store.removeUnreferenced([layer.diffId])]);
      expect(store.layer(layer.diffId) !== undefined).toBe(existsSync(layer.path));
    }
  });
});

describe("LayerFileStore.sweep()", () => {
  test("removes what a crash left and reports layers without a file", async () => {
    const kept = await store.ingest(chunksOf(archive(file("kept", ""))));
    const lost = await store.ingest(chunksOf(archive(file("lost", ""))));
    const rowless = await store.ingest(chunksOf(archive(file("rowless", ""))));
    rmSync(lost.path);
    database.statement("DELETE FROM layers WHERE diff_id = ?").run(rowless.diffId);
    writeFileSync(join(layers, ".tmp-layer-123"), "half");
    writeFileSync(join(layers, "README"), "not ours");
    const sweep = await store.sweep();
    expect(sweep).toMatchObject({ removed: 2, missing: [lost.diffId] });
    expect(sweep.freedBytes).toBeGreaterThan(rowless.fileSize);
    expect(files().sort()).toEqual([digestHex(kept.diffId), "README"].sort());
  });
});
