import { expect, test } from "bun:test";
import fc from "fast-check";
import { readTar } from "#formats/tar/tar-reader.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { type LayerTar, mergeLayers } from "./merge-layers.ts";

/** `dir/` is a directory, `a>b` a hard link, anything else a file with its layer's number as content. */
function layer(number: number, ...paths: string[]): LayerTar {
  return async function* () {
    const common = { mode: 0o644, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 } };
    for (const text of paths) {
      const [path = "", linkPath] = text.split(">");
      if (linkPath) yield tarHeader({ ...common, path, type: "hardlink", size: 0, linkPath });
      else if (path.endsWith("/")) yield tarHeader({ ...common, path, type: "directory", size: 0 });
      else {
        yield tarHeader({ ...common, path, type: "file", size: 1 });
        yield Buffer.from(String(number));
        yield tarPadding(1);
      }
    }
    yield TAR_END;
  };
}

async function merged(...layers: LayerTar[]): Promise<string[]> {
  const found: string[] = [];
  for await (const { entry, body } of readTar(mergeLayers(layers))) {
    let content = "";
    for await (const chunk of body) content += Buffer.from(chunk).toString();
    const link = entry.type === "hardlink" && entry.linkPath !== "a" ? `>${entry.linkPath}` : "";
    found.push(entry.type === "file" && content !== "" ? `${entry.path}=${content}` : entry.path + link);
  }
  return found.sort();
}

test("mergeLayers() takes each path from the uppermost layer that has it", async () => {
  expect(await merged(layer(1, "d/", "d/a", "b"), layer(2, "d/", "d/c", "b"))).toEqual(["b=2", "d/", "d/a=1", "d/c=2"]);
});

test("mergeLayers() leaves out what was deleted, and deletes what may lie below", async () => {
  expect(await merged(layer(1, "d/", "d/a", "x"), layer(2, "d/", "d/.wh.a", ".wh.x", ".wh.old"))).toEqual([
    ".wh.old=2",
    ".wh.x=2",
    "d/",
    "d/.wh.a=2",
  ]);
  // Deleted, then made anew: nothing of before shows.
  expect(await merged(layer(1, ".wh.d"), layer(2, "d/", "d/n"))).toEqual(["d/", "d/.wh..wh..opq", "d/n=2"]);
  expect(await merged(layer(1, "d/", "d/a"), layer(2, "d/", "d/.wh..wh..opq", "d/n"))).toEqual([
    "d/",
    "d/.wh..wh..opq",
    "d/n=2",
  ]);
  // A file in the place of a directory.
  expect(await merged(layer(1, "d/", "d/a"), layer(2, "d"))).toEqual(["d=2"]);
});

test("mergeLayers() gives the content of a file that was replaced to its first further name", async () => {
  expect(await merged(layer(1, "a", "b>a"), layer(2, "c"))).toEqual(["a=1", "b", "c=2"]);
  expect(await merged(layer(1, "a", "b>a", "d>a"), layer(2, "a"))).toEqual(["a=2", "b=1", "d>b"]);
  expect(await merged(layer(1, "a", "b>a", "d>a"), layer(2, ".wh.a", ".wh.b"))).toEqual([".wh.a=2", ".wh.b=2", "d=1"]);
});

type Files = Map<string, string>;

/** What a layer makes of files that lie below it. https://github.com/opencontainers/image-spec/blob/main/layer.md#applying-changesets */
async function applied(below: Files, tar: LayerTar): Promise<Files> {
  const files = new Map(below);
  const remove = (path: string): void => {
    for (const known of [...files.keys()]) if (known === path || known.startsWith(`${path}/`)) files.delete(known);
  };
  const entries: { readonly path: string; readonly type: string; readonly content: string }[] = [];
  for await (const { entry, body } of readTar(tar())) {
    let content = "";
    for await (const chunk of body) content += Buffer.from(chunk).toString();
    entries.push({ path: entry.path.replace(/\/$/, ""), type: entry.type, content });
  }
  for (const { path } of entries) {
    const [, directory = "", name = ""] = /^(.*\/)?([^/]+)$/.exec(path) ?? [];
    if (name === ".wh..wh..opq") {
      for (const known of [...files.keys()]) if (known.startsWith(directory)) files.delete(known);
    } else if (name.startsWith(".wh.")) remove(directory + name.slice(4));
  }
  for (const { path, type, content } of entries) {
    if (path.split("/").some((part) => part.startsWith(".wh."))) continue;
    const [parent = ""] = path.split("/");
    if (parent !== path && files.get(parent) !== "directory") {
      remove(parent);
      files.set(parent, "directory");
    }
    if (type !== "directory" || files.get(path) !== "directory") remove(path);
    files.set(path, type === "directory" ? "directory" : content);
  }
  return files;
}

const CHILD = fc.constantFrom("x", "y", ".wh.x", ".wh.y", ".wh..wh..opq");
/** What one name of the root is in a layer: nothing, deleted, a file, or a directory, which may have taken the place of something. */
function entriesOf(name: string): fc.Arbitrary<string[]> {
  const directory = fc
    .tuple(fc.boolean(), fc.uniqueArray(CHILD, { maxLength: 3, selector: (child) => child.replace(".wh.", "") }))
    .map(([replaces, children]) => [
      ...(replaces ? [`.wh.${name}`] : []),
      `${name}/`,
      ...children.map((child) => `${name}/${child}`),
    ]);
  return fc.oneof(fc.constantFrom<string[]>([], [`.wh.${name}`], [name]), directory);
}

test("mergeLayers() makes of any files below what its layers make one after the other", async () => {
  const paths = fc.tuple(entriesOf("a"), entriesOf("b")).map(([a, b]) => [...a, ...b]);
  await fc.assert(
    fc.asyncProperty(fc.array(paths, { minLength: 2, maxLength: 4 }), paths, async (all, base) => {
      const layers = all.map((entries, index) => layer(index + 1, ...entries));
      let below = await applied(new Map(), layer(0, ...base));
      const once = await applied(below, () => mergeLayers(layers));
      for (const one of layers) below = await applied(below, one);
      expect([...once].sort()).toEqual([...below].sort());
    }),
    { numRuns: 500 },
  );
});
