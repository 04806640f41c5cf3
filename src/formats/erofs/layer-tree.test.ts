import { describe, expect, test } from "bun:test";
import type { TarEntry } from "#formats/tar/tar-entry.ts";
import { crc32c } from "./crc32c.ts";
import { directorySize } from "./erofs-directory.ts";
import { erofsXattrs } from "./erofs-xattrs.ts";
import { type Inode, LayerTree } from "./layer-tree.ts";

function entry(path: string, extra: Partial<TarEntry> = {}): TarEntry {
  return {
    path,
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: { seconds: 0, nanoseconds: 0 },
    size: 0,
    linkPath: "",
    major: 0,
    minor: 0,
    xattrs: new Map(),
    dataOffset: 0,
    dataSize: 0,
    ...extra,
  };
}

function treeOf(...entries: readonly TarEntry[]): LayerTree {
  const tree = new LayerTree();
  for (const each of entries) tree.add(each);
  return tree;
}

function at(tree: LayerTree, path: string): Inode | undefined {
  return path.split("/").reduce<Inode | undefined>((inode, name) => inode?.children?.get(name), tree.root);
}

describe("LayerTree.add()", () => {
  test("keeps a file of the layer beside its whiteout, in either order", () => {
    expect(at(treeOf(entry(".wh.f"), entry("f")), "f")?.type).toBe("file");
    expect(at(treeOf(entry("f"), entry(".wh.f")), "f")?.type).toBe("file");
    expect(at(treeOf(entry(".wh.f")), "f")?.type).toBe("whiteout");
  });

  test("makes a directory beside its whiteout opaque, in either order, implied or not", () => {
    const directory = entry("d", { type: "directory" });
    for (const tree of [
      treeOf(entry(".wh.d"), directory),
      treeOf(directory, entry(".wh.d")),
      treeOf(entry(".wh.d"), entry("d/x")),
    ]) {
      expect(at(tree, "d")).toMatchObject({ type: "directory", opaque: true });
    }
    expect(at(treeOf(entry("d/x")), "d")).toMatchObject({ opaque: false, mode: 0o755, uid: 0 });
  });

  test("keeps the children of a directory that comes again, drops those of one that a file replaces", () => {
    const directory = entry("d", { type: "directory", mode: 0o700 });
    expect(at(treeOf(entry("d/x"), directory), "d/x")).toBeDefined();
    expect(at(treeOf(entry("d/x"), directory), "d")?.mode).toBe(0o700);
    const replaced = treeOf(entry("d/x"), entry("d"), directory, entry("d/y"));
    expect([...(at(replaced, "d")?.children?.keys() ?? [])]).toEqual(["y"]);
  });

  test("follows links of the layer inside its root only", () => {
    const up = entry("up", { type: "symlink", linkPath: "../../.." });
    expect(at(treeOf(up, entry("up/etc/passwd")), "etc/passwd")?.type).toBe("file");
    const replaced = treeOf(
      entry("l", { type: "symlink", linkPath: "a" }),
      entry("l/1"),
      entry("l", { type: "symlink", linkPath: "b" }),
      entry("l/1"),
    );
    expect(at(replaced, "b/1")?.type).toBe("file");
  });

  test("shares the inode of hard links, also of links to links and to symbolic links", () => {
    const tree = treeOf(
      entry("s", { type: "symlink", linkPath: "nowhere" }),
      entry("h", { type: "hardlink", linkPath: "/s" }),
      entry("i", { type: "hardlink", linkPath: "h" }),
    );
    expect(at(tree, "i")).toBe(at(tree, "s")!);
    expect(() => treeOf(entry("d/f"), entry("h", { type: "hardlink", linkPath: "d" }))).toThrow("the directory");
  });

  test("refuses what breaks its limits", () => {
    const small = new LayerTree({ maxInodes: 10, maxMetadataBytes: 1000 });
    expect(() => small.add(entry("a/b/c/d/e/f/g/h/i/j/k"))).toThrow("the limit of 10 files");
    const tree = new LayerTree({ maxInodes: 1000, maxMetadataBytes: 1000 });
    const xattrs = new Map([["user.x", new Uint8Array(600)]]);
    tree.add(entry("a", { xattrs }));
    expect(() => tree.add(entry("b", { xattrs }))).toThrow("the limit of 1000 bytes");
    expect(() => treeOf(entry("c", { type: "char-device", major: 5000 }))).toThrow("device number 5000:0");
    expect(() => treeOf(entry("."))).toThrow("the layer's root must be a directory");
  });
});

describe("erofsXattrs()", () => {
  test("escapes overlayfs' own names and leaves unknown prefixes out", () => {
    const bytes = erofsXattrs(
      new Map([
        ["trusted.overlay.opaque", Buffer.from("y")],
        ["unknown.name", Buffer.from("z")],
      ]),
    );
    expect(Buffer.from(bytes).toString("latin1")).toBe("\x16\x04\x01\x00overlay.overlay.opaquey\0");
  });

  test("refuses what Linux cannot hold", () => {
    expect(() => erofsXattrs(new Map([["user.big", new Uint8Array(65_537)]]))).toThrow("larger than Linux allows");
    expect(() => erofsXattrs(new Map([[`user.${"n".repeat(255)}`, new Uint8Array(1)]]))).toThrow("larger than Linux");
  });
});

describe("directorySize()", () => {
  test("never splits a name over blocks", () => {
    expect(directorySize([".", ".."])).toBe(27);
    expect(directorySize([".", "..", "n".repeat(255)])).toBe(27 + 267);
    expect(directorySize([".", "..", "n".repeat(255), "o".repeat(255)])).toBe(512 + 267);
  });
});

describe("crc32c()", () => {
  test("gives the check value of the Castagnoli polynomial", () => {
    expect((crc32c(0xffffffff, Buffer.from("123456789")) ^ 0xffffffff) >>> 0).toBe(0xe3069283);
  });
});
