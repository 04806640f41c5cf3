import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { BerthError, InvalidParameterError } from "#errors/errors.ts";
import { writePax } from "./pax.ts";
import { TAR_BLOCK, type TarEntry, type TarHeader, tarName, tarPadded } from "./tar-entry.ts";
import { DEFAULT_TAR_LIMITS } from "./tar-limits.ts";
import { TarParser } from "./tar-parser.ts";
import { TAR_END, tarHeader, tarPadding } from "./tar-writer.ts";

const plain: Omit<TarHeader, "path"> = {
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
};

interface Parsed {
  readonly entries: TarEntry[];
  readonly data: Buffer[];
}

function parse(archive: Uint8Array, chunkSize: number = archive.length): Parsed {
  const entries: TarEntry[] = [];
  const pieces: Uint8Array[][] = [];
  const parser = new TarParser({
    entry: (entry) => {
      entries.push(entry);
      pieces.push([]);
    },
    data: (bytes) => pieces.at(-1)!.push(bytes),
  });
  for (let at = 0; at < archive.length; at += chunkSize) parser.push(archive.subarray(at, at + chunkSize));
  parser.end();
  return { entries, data: pieces.map((list) => Buffer.concat(list)) };
}

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-tar-parser-"));
  const tree = join(directory, "tree");
  mkdirSync(join(tree, "deep", "d".repeat(90), "e".repeat(90)), { recursive: true });
  writeFileSync(join(tree, "deep", "d".repeat(90), "e".repeat(90), "f".repeat(90)), "deep content");
  writeFileSync(join(tree, "täst"), "x".repeat(1000));
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe, 0x41])]), "not UTF-8");
  linkSync(join(tree, "täst"), join(tree, "zz-hard"));
  symlinkSync("t".repeat(150), join(tree, "long-link"));
  execFileSync("mkfifo", [join(tree, "fifo")]);
  execFileSync("mknod", [join(tree, "device"), "c", "250", "70000"]);
  utimesSync(join(tree, "täst"), 1_700_000_000.25, 1_700_000_000.25);
  const sparse = join(tree, "sparse");
  writeFileSync(sparse, "");
  truncateSync(sparse, 4 * 1024 * 1024);
  for (let piece = 0; piece < 30; piece++) {
    execFileSync("dd", [
      "if=/dev/urandom",
      `of=${sparse}`,
      "bs=4096",
      "count=1",
      `seek=${piece * 30}`,
      "conv=notrunc",
      "status=none",
    ]);
  }
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What is in the tree, as GNU tar packs it. */
function gnuTar(...options: readonly string[]): Buffer {
  const args = [
    "--create",
    "--file=-",
    "--sort=name",
    "--numeric-owner",
    ...options,
    "-C",
    join(directory, "tree"),
    ".",
  ];
  return execFileSync("tar", args, { maxBuffer: 64 * 1024 * 1024, env: { PATH: process.env["PATH"], LC_ALL: "C" } });
}

const FORMATS = [
  ["gnu", ["--format=gnu"]],
  ["oldgnu", ["--format=oldgnu"]],
  ["pax", ["--format=pax"]],
  ["gnu, sparse", ["--format=gnu", "--sparse"]],
  ["pax, sparse 0.0", ["--format=pax", "--sparse", "--sparse-version=0.0"]],
  ["pax, sparse 0.1", ["--format=pax", "--sparse", "--sparse-version=0.1"]],
  ["pax, sparse 1.0", ["--format=pax", "--sparse", "--sparse-version=1.0"]],
] as const;

describe("TarParser", () => {
  test.each(FORMATS)("reads GNU tar's %s archives", (_name, options) => {
    const { entries, data } = parse(gnuTar(...options));
    const byPath = new Map(entries.map((entry, index) => [entry.path, { entry, data: data[index]! }]));
    const deep = `./deep/${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(90)}`;
    expect(byPath.get(deep)?.data.toString()).toBe("deep content");
    expect(byPath.get("./\xff\xfeA")?.data.toString()).toBe("not UTF-8");
    expect(byPath.get(tarName("./täst"))?.entry).toMatchObject({ type: "file", size: 1000 });
    expect(byPath.get("./zz-hard")?.entry).toMatchObject({
      type: "hardlink",
      linkPath: tarName("./täst"),
      dataSize: 0,
    });
    expect(byPath.get("./long-link")?.entry).toMatchObject({ type: "symlink", linkPath: "t".repeat(150) });
    expect(byPath.get("./fifo")?.entry.type).toBe("fifo");
    expect(byPath.get("./device")?.entry).toMatchObject({ type: "char-device", major: 250, minor: 70000 });
    const expected = execFileSync("cat", [join(directory, "tree", "sparse")], { maxBuffer: 8 * 1024 * 1024 });
    const sparse = byPath.get("./sparse")!;
    expect(Buffer.compare(expanded(sparse.entry, sparse.data), expected)).toBe(0);
    const nanoseconds = byPath.get(tarName("./täst"))?.entry.mtime.nanoseconds;
    expect(nanoseconds).toBe(options[0] === "--format=pax" ? 250_000_000 : 0);
  });

  test.each(FORMATS)("reports the same whatever the chunks: %s", (_name, options) => {
    const archive = gnuTar(...options);
    const whole = parse(archive);
    for (const chunkSize of [1000, 511, 513, 65_536]) {
      const other = parse(archive, chunkSize);
      expect(other.entries).toEqual(whole.entries);
      for (const [index, data] of other.data.entries()) expect(Buffer.compare(data, whole.data[index]!)).toBe(0);
    }
  });

  test("reports data offsets at which the bytes lie", () => {
    const archive = gnuTar("--format=pax", "--sparse");
    const { entries, data } = parse(archive);
    for (const [index, entry] of entries.entries()) {
      expect(entry.dataOffset % TAR_BLOCK).toBe(0);
      const bytes = archive.subarray(entry.dataOffset, entry.dataOffset + entry.dataSize);
      expect(Buffer.compare(bytes, data[index]!)).toBe(0);
    }
  });

  test("reads xattrs, and times before 1970", () => {
    const xattrs = new Map([["security.capability", Uint8Array.of(1, 0, 0, 2, 255)]]);
    const mtime = { seconds: -5, nanoseconds: 250_000_000 };
    const { entries } = parse(tarHeader({ ...plain, path: "ping", xattrs, mtime }));
    expect(entries[0]?.mtime).toEqual(mtime);
    expect(Buffer.from(entries[0]!.xattrs.get("security.capability")!).toString("hex")).toBe("01000002ff");
  });

  test("reads base-256 numbers", () => {
    const block = Buffer.from(tarHeader({ ...plain, path: "big" }));
    block.fill(0, 124, 136);
    block[124] = 0x80;
    block.writeUIntBE(10 * 1024 ** 3, 130, 6);
    block.fill(0xff, 136, 148);
    const entries: TarEntry[] = [];
    new TarParser({ entry: (entry) => entries.push(entry) }).push(withChecksum(block));
    expect(entries[0]).toMatchObject({ size: 10 * 1024 ** 3, mtime: { seconds: -1, nanoseconds: 0 } });
  });

  test("ignores PAX global headers, as Docker does", () => {
    const global = special(
      "g",
      writePax([
        ["path", "evil"],
        ["comment", "x"],
      ]),
    );
    const { entries } = parse(Buffer.concat([global, tarHeader({ ...plain, path: "a" }), TAR_END]));
    expect(entries.map((entry) => entry.path)).toEqual(["a"]);
  });

  test("takes the name under GNU's magic with a prefix, as Go before 1.8 wrote it", () => {
    const block = Buffer.from(tarHeader({ ...plain, path: "file" }));
    block.write("ustar  \0", 257, "latin1");
    block.write("some/prefix", 345, "latin1");
    expect(parse(withChecksum(block)).entries[0]?.path).toBe("some/prefix/file");
  });

  test("takes a V7 name that ends in a slash for a directory", () => {
    const block = Buffer.from(tarHeader({ ...plain, path: "dir/" }));
    block[156] = 0;
    expect(parse(withChecksum(block)).entries[0]?.type).toBe("directory");
  });

  test("does not look behind the first zero block", () => {
    const archive = Buffer.concat([tarHeader({ ...plain, path: "a" }), TAR_END, Buffer.from("rubbish".repeat(100))]);
    expect(parse(archive).entries.length).toBe(1);
  });

  test("refuses an archive cut anywhere but between entries", () => {
    const archive = Buffer.concat([
      tarHeader({ ...plain, path: "p".repeat(300), size: 700 }),
      Buffer.alloc(700, 1),
      tarPadding(700),
      tarHeader({ ...plain, path: "second" }),
    ]);
    const padding = archive.length - TAR_BLOCK - (tarPadded(700) - 700);
    for (let size = 1; size < archive.length; size += 7) {
      const isAllowed = size >= padding && size <= archive.length - TAR_BLOCK;
      if (isAllowed) parse(archive.subarray(0, size));
      else expect(() => parse(archive.subarray(0, size))).toThrow("truncated");
    }
  });

  test("fails only with its own errors on damaged archives", () => {
    const archives = FORMATS.map(([, options]) => gnuTar(...options).subarray(0, 100_000));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: archives.length - 1 }),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        (index, damages, fixChecksums) => {
          const archive = Buffer.from(archives[index]!);
          for (const [at, value] of damages) archive[at % archive.length] = value;
          if (fixChecksums) for (let at = 0; at < archive.length; at += TAR_BLOCK) fixChecksum(archive, at);
          try {
            parse(archive, 4096);
          } catch (error) {
            expect(error).toBeInstanceOf(BerthError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test("bounds headers, extension sizes and names", () => {
    const limits = { ...DEFAULT_TAR_LIMITS, maxHeaders: 10 };
    const parser = new TarParser({ entry: () => undefined }, limits);
    const endless = special("x", writePax([["comment", "again"]]));
    expect(() => {
      for (;;) parser.push(endless);
    }).toThrow(new InvalidParameterError("invalid tar: more than the limit of 10 headers"));

    const huge = Buffer.from(special("x", Buffer.alloc(10)));
    huge.write("00100000000", 124, "latin1");
    expect(() => parse(withChecksum(huge.subarray(0, TAR_BLOCK)))).toThrow("over the limit of 1048576");
    expect(() => parse(tarHeader({ ...plain, path: "n".repeat(5000) }))).toThrow("a name of 5000 bytes");
  });

  test("refuses sparse maps that do not fit", () => {
    const map = (text: string, size: number): Buffer =>
      Buffer.concat([
        special(
          "x",
          writePax([
            ["GNU.sparse.map", text],
            ["GNU.sparse.size", "4096"],
          ]),
        ),
        tarHeader({ ...plain, path: "s", size }),
        Buffer.alloc(tarPadded(size)),
      ]);
    expect(() => parse(map("0,512,256,512", 1024))).toThrow("overlapping");
    expect(() => parse(map("4000,512", 512))).toThrow("out-of-range");
    expect(() => parse(map("0,512", 1024))).toThrow("does not fit");
    expect(() => parse(map("0,512,1", 512))).toThrow("odd number");
    expect(parse(map("0,512", 512)).entries[0]).toMatchObject({ size: 4096, dataSize: 512 });
  });

  test("refuses entry types that no image has", () => {
    const block = Buffer.from(tarHeader({ ...plain, path: "m" }));
    block[156] = "M".charCodeAt(0);
    expect(() => parse(withChecksum(block))).toThrow('unknown entry type "M"');
  });
});

function expanded(entry: TarEntry, stored: Buffer): Buffer {
  if (!entry.sparse) return stored;
  const file = Buffer.alloc(entry.size);
  let at = 0;
  for (const { offset, length } of entry.sparse) {
    stored.copy(file, offset, at, at + length);
    at += length;
  }
  return file;
}

/** A header block of another type with its body: global PAX headers and the like. */
function special(typeFlag: string, body: Uint8Array): Buffer {
  const block = Buffer.from(tarHeader({ ...plain, path: "special", size: body.length }));
  block[156] = typeFlag.charCodeAt(0);
  return Buffer.concat([withChecksum(block), body, tarPadding(body.length)]);
}

function withChecksum(block: Buffer): Buffer {
  fixChecksum(block, 0);
  return block;
}

function fixChecksum(archive: Buffer, at: number): void {
  const block = archive.subarray(at, at + TAR_BLOCK);
  if (block.length < TAR_BLOCK || block.every((byte) => byte === 0)) return;
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}
