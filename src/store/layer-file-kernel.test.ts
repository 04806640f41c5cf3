import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { createReadStream, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TarHeader, tarName } from "#formats/tar/tar-entry.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { mountFileSystem, unmount } from "#sys/mounts/mount.ts";
import { getXattr } from "#sys/xattr.ts";
import { Database } from "./database.ts";
import { LayerFileStore } from "./layer-file-store.ts";
import type { Layer } from "./layer-store.ts";

let directory: string;
let database: Database;
let store: LayerFileStore;
let mounts: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-layer-kernel-"));
  database = new Database(join(directory, "db"));
  store = new LayerFileStore({ directory: join(directory, "layers"), database });
  mounts = [];
});

afterEach(async () => {
  for (const target of mounts.reverse()) await unmount(target);
  database[Symbol.dispose]();
  rmSync(directory, { recursive: true, force: true });
});

const base = { mode: 0o644, uid: 0, gid: 0, size: 0, mtime: { seconds: 1_600_000_000, nanoseconds: 0 } };
type Entry = Partial<TarHeader> & Pick<TarHeader, "path" | "type"> & { readonly content?: string | Uint8Array };

async function* tarOf(entries: Iterable<Entry>): AsyncGenerator<Uint8Array> {
  for (const { content = "", ...header } of entries) {
    const bytes = Buffer.from(content);
    yield tarHeader({ ...base, ...header, size: bytes.length });
    yield bytes;
    yield tarPadding(bytes.length);
  }
  yield TAR_END;
}

function mountLayer(layer: Layer): string {
  const target = mkdtempSync(join(directory, "mount-"));
  mountFileSystem("erofs", layer.path, target, [], ["readOnly"]);
  mounts.push(target);
  return target;
}

/** The layers as overlayfs shows them, bottom first. */
async function overlayOf(...layers: readonly (readonly Entry[])[]): Promise<string> {
  const lower: string[] = [];
  for (const entries of layers) lower.unshift(mountLayer(await store.ingest(tarOf(entries))));
  const target = mkdtempSync(join(directory, "overlay-"));
  mountFileSystem(
    "overlay",
    "overlay",
    target,
    lower.map((path) => ["lowerdir+", path] as const),
    ["readOnly"],
  );
  mounts.push(target);
  return target;
}

/** Everything that `find` and `getfattr` can tell of a tree, a line per file, as bytes in latin1. */
function described(root: string): string[] {
  const format = String.raw`%P\t%y\t%m\t%U:%G\t%n\t%T@\t%l\t%s\0`;
  const text = execFileSync("find", [root, "-printf", format], { maxBuffer: 256 * 1024 * 1024 }).toString("latin1");
  return text
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const fields = line.split("\t");
      const path = Buffer.from(`${root}/${fields[0]}`, "latin1");
      // A directory's size is the file system's own business.
      if (fields[1] === "d") fields[7] = "";
      if (fields[1] === "f") fields.push(String(Bun.hash(readFileSync(path))));
      if (fields[1] === "c" || fields[1] === "b") fields.push(String(statSync(path).rdev));
      const capability = fields[1] === "l" ? undefined : getXattr(path, "security.capability");
      const user = fields[1] === "f" ? getXattr(path, "user.note") : undefined;
      return [...fields, capability?.toString("hex"), user?.toString("hex")].join("\t");
    })
    .sort();
}

function shell(script: string, cwd: string): void {
  execFileSync("bash", ["-euc", script], { cwd, env: { PATH: process.env["PATH"], LC_ALL: "C" } });
}

describe("a layer file mounted by the kernel", () => {
  test.each([
    ["gnu", ["--format=gnu"]],
    ["pax with times, attributes and sparse files", ["--format=pax", "--xattrs", "--xattrs-include=*", "--sparse"]],
  ])("shows the tree that tar packed as %s", async (_name, options) => {
    const tree = join(directory, "tree");
    mkdirSync(tree);
    shell(
      String.raw`
      mkdir -p etc usr/bin many "$(printf 'a%.0s' {1..200})/$(printf 'b%.0s' {1..200})/c/d/e/f"
      echo root > etc/passwd; chmod 4755 etc/passwd; ln etc/passwd etc/passwd-; ln etc/passwd usr/bin/third
      head -c 1000000 /dev/urandom > usr/bin/program; : > empty; head -c 511 /dev/zero > odd; head -c 512 /dev/zero > even
      ln -s passwd etc/link; ln -s "$(printf 'x%.0s' {1..3000})" long-link; ln -s "$(printf 'y%.0s' {1..440})" middle-link
      mkfifo pipe; mknod char c 1 3; mknod block b 259 100000; chown 1234:4294967294 odd; chmod 1777 usr
      printf 'bytes' > "$(printf '\377\376name')"; echo ü > "ümlaut"; printf x > '-dash'; printf x > '!'
      for i in $(seq 1 300); do echo $i > many/file-with-a-name-$i; done
      truncate -s 3M holes; printf middle | dd of=holes bs=1 seek=1500000 conv=notrunc status=none
      truncate -s 1M only-hole; touch -d '1969-12-31 23:00:00 UTC' empty; touch -d '2100-01-01 12:00:00.123456789 UTC' even
      setfattr -n user.note -v hello odd 2>/dev/null || true
      `,
      tree,
    );
    const archive = join(directory, "tree.tar");
    execFileSync("tar", ["-cf", archive, ...options, "-C", tree, "."]);
    const unpacked = join(directory, "unpacked");
    mkdirSync(unpacked);
    execFileSync("tar", ["-xpf", archive, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C", unpacked]);
    const layer = await store.ingest(createReadStream(archive));
    expect(described(mountLayer(layer))).toEqual(described(unpacked));
    expect(await store.verify(layer)).toBeUndefined();
  });

  test("finds every one of 20,000 names in a directory", async () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `n${(index * 7919) % 20_011}`);
    const layer = await store.ingest(
      tarOf(names.map((name) => ({ path: `d/${name}`, type: "file" as const, content: name }))),
    );
    const root = mountLayer(layer);
    expect(readdirSync(join(root, "d")).length).toBe(20_000);
    for (const name of names) expect(statSync(join(root, "d", name)).size).toBe(name.length);
    expect(() => statSync(join(root, "d", "absent"))).toThrow("ENOENT");
    expect(layer.contentSize).toBe(names.join("").length);
  });

  test("takes paths up to Linux's limit", async () => {
    const path = Array.from({ length: 2040 }, () => "d").join("/");
    const root = mountLayer(await store.ingest(tarOf([{ path: `${path}/f`, type: "file" }])));
    expect(execFileSync("find", [root, "-type", "f", "-printf", "%d"]).toString()).toBe("2041");
  });

  test("keeps extended attributes of any size that tar can carry", async () => {
    const xattrs = new Map([
      ["security.capability", Buffer.from("0100000200040000000000000000000000000000", "hex")],
      ["user.big", Buffer.alloc(60_000, "b")],
      ["user.empty", Buffer.alloc(0)],
      ["com.apple.unknown", Buffer.from("dropped")],
    ]);
    const entries: Entry[] = [
      { path: "program", type: "file", content: "x", xattrs },
      { path: "directory", type: "directory", xattrs },
      { path: "directory/child", type: "file", content: "y" },
    ];
    const root = mountLayer(await store.ingest(tarOf(entries)));
    for (const name of ["program", "directory"]) {
      for (const [key, value] of xattrs) {
        const expected = key.startsWith("com.") ? undefined : value.toString("hex");
        expect(getXattr(join(root, name), key)?.toString("hex")).toBe(expected);
      }
    }
    expect(readFileSync(join(root, "directory/child"), "utf8")).toBe("y");
  });

  test("hides lower layers by whiteouts and opaque directories", async () => {
    const lower: Entry[] = [
      { path: "gone", type: "file", content: "1" },
      { path: "dir/old", type: "file", content: "1" },
      { path: "opaque/old", type: "file", content: "1" },
      { path: "replaced/old", type: "file", content: "1" },
      { path: "kept", type: "file", content: "1" },
    ];
    const upper: Entry[] = [
      { path: ".wh.gone", type: "file" },
      { path: ".wh.never-was", type: "file" },
      { path: "dir/.wh.old", type: "file" },
      { path: "dir/new", type: "file", content: "2" },
      { path: "opaque/new", type: "file", content: "2" },
      { path: "opaque/.wh..wh..opq", type: "file" },
      { path: ".wh.replaced", type: "file" },
      { path: "replaced/new", type: "file", content: "2" },
      { path: ".wh..wh.plnk", type: "directory" },
    ];
    const root = await overlayOf(lower, upper);
    const found = execFileSync("find", [root, "-type", "f", "-printf", "%P\n"]).toString().trim().split("\n").sort();
    expect(found).toEqual(["dir/new", "kept", "opaque/new", "replaced/new"]);
  });

  test("does not let an image forge overlayfs' own attributes", async () => {
    const forged = new Map([
      ["trusted.overlay.opaque", Buffer.from("y")],
      ["trusted.overlay.redirect", Buffer.from("/secret")],
    ]);
    const lower: Entry[] = [
      { path: "dir/old", type: "file", content: "1" },
      { path: "secret/file", type: "file", content: "1" },
    ];
    const root = await overlayOf(lower, [{ path: "dir", type: "directory", mode: 0o755, xattrs: forged }]);
    expect(readdirSync(join(root, "dir"))).toEqual(["old"]);
    expect(getXattr(join(root, "dir"), "trusted.overlay.redirect")?.toString()).toBe("/secret");
  });

  test("follows tar's rules for repeated, implied and odd entries", async () => {
    const root = mountLayer(
      await store.ingest(
        tarOf([
          { path: "./", type: "directory", mode: 0o700, uid: 3 },
          { path: "/absolute/./x/../file", type: "file", content: "first" },
          { path: "absolute/file", type: "file", content: "last" },
          { path: "usr/lib", type: "directory", mode: 0o755 },
          { path: "lib", type: "symlink", linkPath: "/usr/lib" },
          { path: "lib/through-link", type: "file", content: "moved" },
          { path: "was-dir/child", type: "file", content: "x" },
          { path: "hard", type: "hardlink", linkPath: "./was-dir/child" },
          { path: "was-dir", type: "file", content: "now a file" },
          { path: tarName("usr/lib"), type: "directory", mode: 0o711 },
          { path: "escape", type: "symlink", linkPath: "../../../etc/passwd" },
        ]),
      ),
    );
    expect(statSync(root)).toMatchObject({ mode: 0o40700, uid: 3 });
    expect(readFileSync(join(root, "absolute/file"), "utf8")).toBe("last");
    expect(readFileSync(join(root, "usr/lib/through-link"), "utf8")).toBe("moved");
    expect(statSync(join(root, "usr/lib")).mode).toBe(0o40711);
    expect(readFileSync(join(root, "was-dir"), "utf8")).toBe("now a file");
    expect(readFileSync(join(root, "hard"), "utf8")).toBe("x");
    expect(statSync(join(root, "hard")).nlink).toBe(1);
    expect(statSync(join(root, "absolute")).mode).toBe(0o40755);
  });

  test("mounts an empty layer", async () => {
    async function* nothing(): AsyncGenerator<Uint8Array> {}
    for (const layer of [await store.ingest(nothing()), await store.ingest(tarOf([]))]) {
      expect(readdirSync(mountLayer(layer))).toEqual([]);
      expect(await store.verify(layer)).toBeUndefined();
    }
  });
});
