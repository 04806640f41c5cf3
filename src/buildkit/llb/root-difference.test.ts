import { describe, expect, test } from "bun:test";
import { LayerTree } from "#formats/erofs/layer-tree.ts";
import { TarParser } from "#formats/tar/tar-parser.ts";
import { readTar } from "#formats/tar/tar-reader.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { type RootTar, rootDifference } from "./root-difference.ts";

/** `dir/` is a directory, `a>b` a hard link, `a=text` a file. */
function root(...paths: string[]): RootTar {
  return async function* () {
    const common = { mode: 0o644, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 }, size: 0 };
    for (const text of paths) {
      const [path = "", linkPath] = text.split(">");
      const [name = "", content = ""] = path.split("=");
      if (linkPath) yield tarHeader({ ...common, path, type: "hardlink", linkPath });
      else if (path.endsWith("/")) yield tarHeader({ ...common, path, type: "directory" });
      else {
        yield tarHeader({ ...common, path: name, type: "file", size: content.length });
        yield Buffer.from(content);
        yield tarPadding(content.length);
      }
    }
    yield TAR_END;
  };
}

/** The layer's names; it must be one that can be stored. */
async function difference(lower: RootTar, upper: RootTar): Promise<string[]> {
  const tree = new LayerTree();
  const parser = new TarParser({ entry: (entry) => tree.add(entry) });
  for await (const chunk of rootDifference(lower, upper)) parser.push(chunk);
  const names: string[] = [];
  for await (const { entry } of readTar(rootDifference(lower, upper))) names.push(entry.path);
  return names;
}

describe("rootDifference()", () => {
  test("has what is new or changed, and what is gone, with the directories on the way", async () => {
    const layer = await difference(root("d/", "d/a=1", "d/b=1", "x=1"), root("d/", "d/a=2", "d/b=1", "n=1"));
    expect(layer).toEqual(["d/", "d/a", "n", ".wh.x"]);
  });

  test("puts a file in the place of a directory, and a directory in that of a file", async () => {
    expect(await difference(root("d/", "d/a=1"), root("d=now a file"))).toEqual(["d"]);
    expect(await difference(root("d=a file"), root("d/", "d/a=1"))).toEqual(["d/", "d/a"]);
  });

  test("takes a file along that has only got a further name", async () => {
    expect(await difference(root("a=1"), root("a=1", "b>a"))).toEqual(["a", "b"]);
  });
});
