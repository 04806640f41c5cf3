import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parsePax, writePax } from "./pax.ts";
import { type TarEntry, type TarEntryType, type TarHeader, tarName } from "./tar-entry.ts";
import { TarParser } from "./tar-parser.ts";
import { TAR_END, tarHeader, tarPadding } from "./tar-writer.ts";

const byteText = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.integer({ min: 1, max: 255 }), { minLength, maxLength })
    .map((bytes) => bytes.map((byte) => String.fromCharCode(byte)).join(""));

const pathName = fc
  .array(
    byteText(1, 120).filter((name) => !name.includes("/") && !name.startsWith(".")),
    { minLength: 1, maxLength: 6 },
  )
  .map((names) => names.join("/"));

const headerArbitrary: fc.Arbitrary<TarHeader> = fc.record({
  path: pathName,
  type: fc.constantFrom<TarEntryType>(
    "file",
    "hardlink",
    "symlink",
    "char-device",
    "block-device",
    "directory",
    "fifo",
  ),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
  gid: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
  mtime: fc.record({
    seconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
    nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
  }),
  size: fc.constant(0),
  linkPath: byteText(1, 300),
  major: fc.integer({ min: 0, max: 4095 }),
  minor: fc.integer({ min: 0, max: 1_048_575 }),
  xattrs: fc
    .dictionary(
      byteText(1, 40).filter((name) => !name.includes("=")),
      fc.uint8Array({ maxLength: 300 }),
    )
    .map((values) => new Map(Object.entries(values))),
});

function parse(...chunks: readonly Uint8Array[]): TarEntry[] {
  const entries: TarEntry[] = [];
  const parser = new TarParser({ entry: (entry) => entries.push(entry) });
  for (const chunk of chunks) parser.push(chunk);
  parser.end();
  return entries;
}

describe("tarHeader()", () => {
  test("writes what TarParser reads back", () => {
    fc.assert(
      fc.property(headerArbitrary, (header) => {
        const [entry, ...others] = parse(tarHeader(header), TAR_END);
        expect(others).toEqual([]);
        expect(entry?.path.replace(/\/$/, "")).toBe(header.path);
        const isLink = header.type === "symlink" || header.type === "hardlink";
        const isDevice = header.type === "char-device" || header.type === "block-device";
        expect(entry).toMatchObject({
          type: header.type,
          mode: header.mode,
          uid: header.uid,
          gid: header.gid,
          mtime: header.mtime,
          linkPath: isLink ? header.linkPath : "",
          major: isDevice ? header.major : 0,
          minor: isDevice ? header.minor : 0,
        });
        const hex = (xattrs: TarHeader["xattrs"]): string[] =>
          [...(xattrs ?? [])].map(([name, value]) => `${name}=${Buffer.from(value).toString("hex")}`).sort();
        // A record with an empty value is how PAX says "not set"; for attributes it is an empty value.
        expect(hex(entry?.xattrs)).toEqual(hex(header.xattrs));
      }),
      { numRuns: 300 },
    );
  });

  test("keeps file sizes beyond 8 GiB", () => {
    const header = {
      path: "big",
      type: "file",
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime: { seconds: 0, nanoseconds: 0 },
    } as const;
    const size = 20 * 1024 ** 3;
    const entries: TarEntry[] = [];
    new TarParser({ entry: (entry) => entries.push(entry) }).push(tarHeader({ ...header, size }));
    expect(entries[0]).toMatchObject({ size, dataSize: size, dataOffset: 3 * 512 });
  });

  test("uses plain ustar when it suffices, and splits long paths instead of a PAX header", () => {
    const base = { type: "file", mode: 0o644, uid: 0, gid: 0, size: 0, mtime: { seconds: 1, nanoseconds: 0 } } as const;
    expect(tarHeader({ ...base, path: "etc/passwd" }).length).toBe(512);
    expect(tarHeader({ ...base, path: `${"d".repeat(150)}/${"f".repeat(100)}` }).length).toBe(512);
    expect(tarHeader({ ...base, path: `${"d".repeat(150)}/${"f".repeat(101)}` }).length).toBe(512 * 3);
  });

  test("refuses an empty path and names with NUL", () => {
    const base = { type: "file", mode: 0, uid: 0, gid: 0, size: 0, mtime: { seconds: 0, nanoseconds: 0 } } as const;
    expect(() => tarHeader({ ...base, path: "" })).toThrow("empty name or NUL");
    expect(() => tarHeader({ ...base, path: "a\0b" })).toThrow("empty name or NUL");
  });

  test("makes archives that GNU tar lists alike", async () => {
    const base = { mode: 0o755, uid: 5, gid: 7, size: 0, mtime: { seconds: 86_400, nanoseconds: 0 } } as const;
    const long = `${"x".repeat(120)}/${"y".repeat(130)}`;
    const archive = Buffer.concat([
      tarHeader({ ...base, path: "dir", type: "directory" }),
      tarHeader({ ...base, path: "dir/file", type: "file", size: 3 }),
      Buffer.from("abc"),
      tarPadding(3),
      tarHeader({ ...base, path: tarName("dir/ü"), type: "symlink", linkPath: "file" }),
      tarHeader({ ...base, path: long, type: "fifo" }),
      tarHeader({ ...base, path: "null", type: "char-device", major: 1, minor: 3 }),
      TAR_END,
    ]);
    const child = Bun.spawn(["tar", "--utc", "--numeric-owner", "--quoting-style=literal", "-tvf", "-"], {
      stdin: archive,
      env: { LC_ALL: "C.UTF-8", PATH: process.env["PATH"] ?? "" },
    });
    expect((await child.stdout.text()).trim().split("\n")).toEqual([
      "drwxr-xr-x 5/7               0 1970-01-02 00:00 dir/",
      "-rwxr-xr-x 5/7               3 1970-01-02 00:00 dir/file",
      "lrwxr-xr-x 5/7               0 1970-01-02 00:00 dir/ü -> file",
      `prwxr-xr-x 5/7               0 1970-01-02 00:00 ${long}`,
      "crwxr-xr-x 5/7             1,3 1970-01-02 00:00 null",
    ]);
  });
});

describe("writePax()", () => {
  test("round-trips through parsePax(), whatever the length of the length", () => {
    const record = fc.tuple(
      byteText(1, 30).filter((key) => !key.includes("=")),
      byteText(0, 1200),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), (records) => {
        expect(parsePax(writePax(records))).toEqual(records);
      }),
    );
  });
});

describe("parsePax()", () => {
  test.each(["5 a=b", "6 a=b", "99 a=b\n", "0 =b\n", "x a=b\n", "6 ab=\n\n", "-6 a=b\n", "6 =ab\n"])(
    "refuses %j",
    (text) => {
      expect(() => parsePax(Buffer.from(text))).toThrow("malformed PAX record");
    },
  );

  test("refuses NUL in names", () => {
    expect(() => parsePax(writePax([["path", "a\0b"]]))).toThrow("NUL");
  });
});
