import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { TarHeader } from "#formats/tar/tar-entry.ts";
import { readTar } from "#formats/tar/tar-reader.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { inflate } from "#sys/compression/inflate.ts";
import { baseFacts } from "../base-facts.ts";
import { LayerPlan } from "../layer-plan.ts";
import { layerTar } from "../layer-tar.ts";
import { ArchiveFile } from "../trees/archive-file.ts";
import { RootTree } from "../trees/root-tree.ts";
import { planArchive } from "./plan-archive.ts";

let directory: string;
let base: RootTree;
let source: RootTree;

beforeEach(() => {
  directory = mkdtempSync("/tmp/berth-archive-");
  for (const name of ["base", "source", "scratch"]) mkdirSync(join(directory, name));
  base = new RootTree(join(directory, "base"), () => new Map());
  source = new RootTree(join(directory, "source"), () => new Map());
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

type Entry = Partial<TarHeader> & { readonly path: string; readonly text?: string };

function tarOf(entries: readonly Entry[]): Buffer {
  const parts = entries.flatMap(({ text = "", ...entry }) => {
    const common = { type: "file", mode: 0o644, uid: 5, gid: 6, mtime: { seconds: 9, nanoseconds: 0 } } as const;
    const header = tarHeader({ ...common, size: text.length, ...entry });
    return [header, Buffer.from(text), tarPadding(text.length)];
  });
  return Buffer.concat([...parts, TAR_END]);
}

async function openArchive(bytes: Uint8Array): Promise<ArchiveFile | undefined> {
  writeFileSync(join(directory, "source", "a"), bytes);
  const node = source.lstat("a");
  if (!node) throw new Error("no file");
  const tools = { inflate, directory: join(directory, "scratch"), signal: new AbortController().signal };
  return await ArchiveFile.open(source, "a", node, tools);
}

/** The layer of `ADD archive /`: a line an entry, and what files hold. */
async function layerOf(entries: readonly Entry[]): Promise<{ readonly lines: string[]; readonly plan: LayerPlan }> {
  await using archive = await openArchive(tarOf(entries));
  if (!archive) throw new Error("no archive");
  const plan = new LayerPlan(base);
  planArchive(plan, archive, { destination: "/" }, undefined);
  const lines: string[] = [];
  for await (const { entry, body } of readTar(layerTar(plan.entries()))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(Buffer.from(chunk));
    const { path, type, linkPath, xattrs } = entry;
    const words = [path, type, linkPath, Buffer.concat(chunks).toString(), [...xattrs.keys()].join(",")];
    lines.push(words.filter((word) => word !== "").join(" "));
  }
  return { lines, plan };
}

describe("planArchive()", () => {
  test("gives links, pipes and devices further names as well", async () => {
    const { lines } = await layerOf([
      { path: "link", type: "symlink", linkPath: "target" },
      { path: "link2", type: "hardlink", linkPath: "link" },
      { path: "pipe", type: "fifo" },
      { path: "pipe2", type: "hardlink", linkPath: "pipe" },
    ]);
    expect(lines).toEqual(["link symlink target", "link2 hardlink link", "pipe fifo", "pipe2 hardlink pipe"]);
  });

  test("takes a file of the base along that gets a further name, and then says nothing of other bases", async () => {
    writeFileSync(join(directory, "base", "known"), "of the base");
    const { lines, plan } = await layerOf([{ path: "name", type: "hardlink", linkPath: "known" }]);
    expect(lines).toEqual(["known file of the base", "name hardlink known"]);
    expect(baseFacts(plan, { chown: "" } as Parameters<typeof baseFacts>[1], base)).toBeUndefined();
    await expect(layerOf([{ path: "name", type: "hardlink", linkPath: "nothing" }])).rejects.toThrow(
      "cannot link /name to /nothing: no such file",
    );
  });

  test("puts files in the place of directories, of the base and its own, with all in them", async () => {
    mkdirSync(join(directory, "base", "dir"));
    writeFileSync(join(directory, "base", "dir", "old"), "");
    const { lines } = await layerOf([
      { path: "dir", text: "now a file" },
      { path: "own/", type: "directory" },
      { path: "own/in", text: "gone" },
      { path: "own", type: "symlink", linkPath: "elsewhere" },
    ]);
    expect(lines).toEqual(["dir file now a file", "own symlink elsewhere"]);
  });

  test("hides what a directory had that comes back", async () => {
    mkdirSync(join(directory, "base", "dir"));
    writeFileSync(join(directory, "base", "dir", "old"), "");
    const { lines, plan } = await layerOf([
      { path: "dir", text: "for a moment" },
      { path: "dir/", type: "directory" },
      { path: "dir/new", text: "1" },
    ]);
    expect(lines).toEqual(["dir/ directory", "dir/.wh..wh..opq file", "dir/new file 1"]);
    expect(plan.lstat("dir/old")).toBeUndefined();
  });

  test("puts a directory in the place of a file, but goes through a link to a directory", async () => {
    mkdirSync(join(directory, "base", "real"));
    symlinkSync("real", join(directory, "base", "link"));
    writeFileSync(join(directory, "base", "file"), "");
    const { lines } = await layerOf([
      { path: "link/", type: "directory" },
      { path: "link/in", text: "1" },
      { path: "file/", type: "directory" },
    ]);
    expect(lines).toEqual(["file/ directory", "real/ directory", "real/in file 1"]);
  });

  test("keeps capabilities and other attributes, but not ACLs and labels", async () => {
    const attributes = ["security.capability", "security.selinux", "system.posix_acl_access", "user.mine"];
    const xattrs = new Map(attributes.map((name) => [name, Buffer.from("v")]));
    const { lines } = await layerOf([
      { path: "dir/", type: "directory", xattrs },
      { path: "ping", text: "1", xattrs },
    ]);
    const kept = "security.capability,user.mine";
    expect(lines).toEqual([`dir/ directory ${kept}`, `ping file 1 ${kept}`]);
  });

  test("refuses names that would delete files of the base", async () => {
    await expect(layerOf([{ path: "etc/.wh.passwd" }])).rejects.toThrow('names that begin with ".wh." mark deletions');
  });
});

describe("ArchiveFile.open()", () => {
  test("tells an archive by what is in the compressed file, and leaves nothing behind", async () => {
    {
      await using archive = await openArchive(gzipSync(tarOf([{ path: "f", text: "1" }])));
      expect(archive?.entries.map(({ path }) => path)).toEqual(["f"]);
    }
    expect(await openArchive(gzipSync(Buffer.alloc(2000, "text")))).toBeUndefined();
    expect(readdirSync(join(directory, "scratch"))).toEqual([]);
  });

  test("takes a damaged compressed file for a plain one, unless it began well", async () => {
    const noise = gzipSync(Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * index * 7) % 251)));
    expect(await openArchive(noise.subarray(0, 200))).toBeUndefined();
    const whole = gzipSync(tarOf([{ path: "f", text: "text ".repeat(200_000) }]));
    await expect(openArchive(whole.subarray(0, whole.length - 100))).rejects.toThrow("corrupt or truncated gzip data");
    expect(readdirSync(join(directory, "scratch"))).toEqual([]);
  });
});
