import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataLossError, InvalidParameterError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import type { TarHeader } from "#formats/tar/tar-entry.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { contextFromTar } from "./context-from-tar.ts";
import type { OpenContext } from "./open-context.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-tar-context-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

async function* chunksOf(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function open(tar: Uint8Array, dockerfile = "Dockerfile"): Promise<OpenContext> {
  return contextFromTar(chunksOf(tar), { directory: join(directory, "contexts"), dockerfile });
}

function tarOf(
  ...items: readonly (Partial<TarHeader> & { readonly path: string; readonly data?: string })[]
): Uint8Array {
  const none = { type: "file", mode: 0o644, uid: 5, gid: 5, mtime: { seconds: 7, nanoseconds: 500_000_000 } } as const;
  const parts = items.flatMap(({ data = "", ...header }) => {
    const bytes = Buffer.from(data);
    return [tarHeader({ ...none, size: bytes.length, ...header }), bytes, tarPadding(bytes.length)];
  });
  return Buffer.concat([...parts, TAR_END]);
}

describe("contextFromTar()", () => {
  test("reads what GNU tar writes: links, long names, sparse files, other bytes than UTF-8", async () => {
    const source = join(directory, "source");
    mkdirSync(join(source, "sub", "x".repeat(120)), { recursive: true });
    writeFileSync(join(source, "Dockerfile"), "FROM scratch\n");
    writeFileSync(join(source, "sub", "x".repeat(120), "file"), "long");
    linkSync(join(source, "Dockerfile"), join(source, "sub", "hard"));
    symlinkSync("../Dockerfile", join(source, "sub", "soft"));
    writeFileSync(Buffer.concat([Buffer.from(`${source}/`), Buffer.from([0xff, 0x41])]), "bytes");
    writeFileSync(join(source, "sparse"), "head");
    truncateSync(join(source, "sparse"), 1_000_000);
    execFileSync("mkfifo", [join(source, "pipe")]);
    const tar = execFileSync("tar", ["-C", source, "-S", "-cf", "-", "."], { maxBuffer: 1 << 26 });

    await using context = await open(tar);
    const read = (path: string): string => {
      const entry = context.files.entries.find((candidate) => candidate.path === path);
      if (!entry) throw new Error(`${path} is not there`);
      const bytes = context.files.read(entry);
      expect(entry.digest).toBe(digestOf(bytes));
      return Buffer.from(bytes).toString();
    };
    const paths = context.files.entries.map((entry) => entry.path);
    expect(paths).toEqual(paths.toSorted());
    expect(paths).toContain("\u00ffA");
    expect(paths).not.toContain("pipe");
    expect(read("Dockerfile")).toBe("FROM scratch\n");
    expect(read("sub/hard")).toBe("FROM scratch\n");
    expect(read(`sub/${"x".repeat(120)}/file`)).toBe("long");
    expect(read("sparse")).toBe(`head${"\0".repeat(999_996)}`);
    expect(context.files.entries.find((entry) => entry.path === "sub/soft")?.linkname).toBe("../Dockerfile");
    expect(Buffer.from(context.dockerfile("sub/soft")).toString()).toBe("FROM scratch\n");
  });

  test("leaves no file behind, not even while it is open", async () => {
    await using context = await open(tarOf({ path: "a", data: "x" }));
    expect(context.files.entries).toHaveLength(1);
    expect(readdirSync(join(directory, "contexts"))).toEqual([]);
  });

  test("the last of a name wins, missing parents are made, a file takes a directory's place", async () => {
    await using context = await open(
      tarOf(
        { path: "./d/e/f", data: "1" },
        { path: "d/e/f", data: "2" },
        { path: "x/y", data: "gone" },
        { path: "x", data: "file" },
      ),
    );
    const byPath = Object.fromEntries(context.files.entries.map((entry) => [entry.path, entry]));
    expect(Object.keys(byPath)).toEqual(["d", "d/e", "d/e/f", "x"]);
    expect(byPath["d"]).toMatchObject({ type: "directory", mode: 0o755 });
    expect(byPath["d/e/f"]).toMatchObject({ mode: 0o644, mtime: 7500, size: 1 });
    expect(Buffer.from(context.files.read(byPath["d/e/f"]!)).toString()).toBe("2");
    expect(byPath["x"]?.type).toBe("file");
  });

  test.each<[string, Partial<TarHeader> & { path: string }]>([
    ["an absolute name", { path: "/etc/passwd" }],
    ["a name that leads out", { path: "../x" }],
    ["a name with .. inside", { path: "a/../../x" }],
    ["a hard link out", { path: "a", type: "hardlink", linkPath: "../../etc/passwd" }],
    ["a hard link to nothing", { path: "a", type: "hardlink", linkPath: "b" }],
  ])("refuses %s", async (_, header) => {
    await expect(open(tarOf(header))).rejects.toThrow(InvalidParameterError);
  });

  test("refuses a name below a link, which could lead anywhere when unpacked", async () => {
    const tar = tarOf({ path: "a", type: "symlink", linkPath: "/etc" }, { path: "a/passwd", data: "x" });
    await expect(open(tar)).rejects.toThrow('"a/passwd" lies below "a", which is no directory');
  });

  test("a link's target is only text", async () => {
    await using context = await open(tarOf({ path: "a", type: "symlink", linkPath: "../../../etc/passwd" }));
    expect(context.files.entries[0]?.linkname).toBe("../../../etc/passwd");
  });

  test("refuses a truncated archive", async () => {
    const tar = tarOf({ path: "a", data: "x".repeat(2000) });
    await expect(open(tar.subarray(0, 1500))).rejects.toThrow(DataLossError);
  });

  test("takes out Dockerfile and .dockerignore when they are excluded, and reads the Dockerfile all the same", async () => {
    const tar = tarOf(
      { path: ".dockerignore", data: "*\n!kept\n" },
      { path: "Dockerfile", data: "FROM x" },
      { path: "kept", data: "y" },
      { path: "also sent", data: "z" },
    );
    await using context = await open(tar);
    expect(context.files.entries.map((entry) => entry.path)).toEqual(["also sent", "kept"]);
    expect(Buffer.from(context.dockerfile("Dockerfile")).toString()).toBe("FROM x");
  });
});
