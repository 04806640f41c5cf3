import { expect, test } from "bun:test";
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
    found.push(entry.type === "file" && content !== "" ? `${entry.path}=${content}` : entry.path);
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

test("mergeLayers() refuses a hard link to a file that was replaced", async () => {
  expect(await merged(layer(1, "a", "b>a"), layer(2, "c"))).toEqual(["a=1", "b", "c=2"]);
  expect(merged(layer(1, "a", "b>a"), layer(2, "a"))).rejects.toThrow('"b" is a hard link to "a"');
});
