import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PathArgument } from "../../graph/graph-types.ts";
import { LayerPlan } from "../layer-plan.ts";
import { resolveOwner } from "../owner.ts";
import { resolveLinks } from "../trees/resolve-links.ts";
import { RootTree } from "../trees/root-tree.ts";
import { planCopy, planInlineFile } from "./plan-copy.ts";
import { selectSources } from "./select-sources.ts";

let directory: string;
let base: RootTree;
let source: RootTree;

beforeEach(() => {
  directory = mkdtempSync("/tmp/berth-copy-");
  mkdirSync(join(directory, "base"));
  mkdirSync(join(directory, "source"));
  base = new RootTree(join(directory, "base"), () => new Map());
  source = new RootTree(join(directory, "source"), () => new Map());
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Makes files (`path: content`), directories (`path/: mode`) and links (`path: -> target`). */
function make(where: "base" | "source", files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    const full = join(directory, where, path);
    mkdirSync(dirname(full), { recursive: true });
    if (content.startsWith("-> ")) symlinkSync(content.slice(3), full);
    else if (!path.endsWith("/")) writeFileSync(full, content);
    else {
      mkdirSync(full, { recursive: true });
      chmodSync(full, Number.parseInt(content, 8));
    }
  }
}

function pathOf(path: string): PathArgument {
  return { kind: "path", path };
}

/** The paths of the layer, directories with their modes. */
function copied(sources: string[], destination: string, options: { owner?: string; chmod?: string } = {}): string[] {
  const plan = new LayerPlan(base);
  const owner = options.owner === undefined ? undefined : resolveOwner(options.owner, base);
  for (const selection of selectSources(source, sources.map(pathOf)).flatMap(({ selections }) => selections)) {
    planCopy(plan, source, selection, { destination }, { owner, chmod: options.chmod ?? "" });
  }
  return plan.entries().map(([path, { node }]) => {
    const ids = node.uid + node.gid > 0 ? ` ${node.uid}:${node.gid}` : "";
    return node.type === "directory" ? `${path}/ ${node.mode.toString(8)}${ids}` : `${path}${ids}`;
  });
}

describe("planCopy() places", () => {
  test("a file under a new name, or into a directory", () => {
    make("source", { a: "1" });
    make("base", { "dir/": "700" });
    expect(copied(["a"], "/new/b")).toEqual(["new/ 755", "new/b"]);
    expect(copied(["a"], "/new/")).toEqual(["new/ 755", "new/a"]);
    expect(copied(["a"], "/dir")).toEqual(["dir/ 700", "dir/a"]);
    expect(copied(["a"], "/")).toEqual(["a"]);
  });

  test("the content of a directory; directories inside keep their modes, the destination does not take one", () => {
    make("source", { "d/": "711", "d/sub/": "750", "d/sub/x": "1", "d/y": "2" });
    expect(copied(["d"], "/to")).toEqual(["to/ 755", "to/sub/ 750", "to/sub/x", "to/y"]);
    expect(copied(["."], "/to")).toEqual(["to/ 755", "to/d/ 711", "to/d/sub/ 750", "to/d/sub/x", "to/d/y"]);
  });

  test("matches of a pattern, files side by side, content of directories", () => {
    make("source", { "a.js": "", "b.js": "", "c.txt": "", "d.js/e": "" });
    expect(copied(["*.js"], "/to/")).toEqual(["to/ 755", "to/a.js", "to/b.js", "to/e"]);
    expect(copied(["*.none"], "/to/")).toEqual([]);
  });

  test("through links of the base, never replacing them by directories", () => {
    make("source", { a: "1" });
    make("base", { "usr/bin/": "755", bin: "-> usr/bin", out: "-> /../../usr", "file-link": "-> usr/target" });
    expect(copied(["a"], "/bin/")).toEqual(["usr/ 755", "usr/bin/ 755", "usr/bin/a"]);
    expect(copied(["a"], "/out/x")).toEqual(["usr/ 755", "usr/x"]);
    expect(copied(["a"], "/file-link")).toEqual(["usr/ 755", "usr/target"]);
  });

  test("what a link in the source points to, under the link's name; links inside directories stay links", () => {
    make("source", { real: "1", link: "-> /real", "d/l": "-> ../real" });
    expect(copied(["link"], "/to/")).toEqual(["to/ 755", "to/link"]);
    const plan = new LayerPlan(undefined);
    planCopy(
      plan,
      source,
      selectSources(source, [pathOf("d")])[0]!.selections[0]!,
      { destination: "/" },
      { owner: undefined, chmod: "" },
    );
    expect(plan.lstat("l")).toMatchObject({ type: "symlink", linkname: "../real" });
  });

  test("paths that climb out inside the root", () => {
    make("source", { a: "1" });
    expect(copied(["../../a"], "/../../x")).toEqual(["x"]);
  });
});

describe("planCopy() sets", () => {
  test("owners by number and by name, of made directories too, never of those that exist", () => {
    make("source", { a: "1" });
    make("base", { "etc/passwd": "root:x:0:0::/:\nnode:x:1000:1001::/:\n", "etc/group": "g:x:7:\n", "old/": "755" });
    expect(copied(["a"], "/old/new/", { owner: "node" })).toEqual([
      "old/ 755",
      "old/new/ 755 1000:1001",
      "old/new/a 1000:1001",
    ]);
    expect(copied(["a"], "/x", { owner: "5" })).toEqual(["x 5:5"]);
    expect(copied(["a"], "/x", { owner: "5:g" })).toEqual(["x 5:7"]);
    expect(() => copied(["a"], "/x", { owner: "nobody-here" })).toThrow("unable to find user nobody-here");
  });

  test("modes of files and directories, not of links", () => {
    make("source", { "d/s/": "700", "d/f": "1", "d/l": "-> f" });
    expect(copied(["d"], "/to", { chmod: "751" })).toEqual(["to/ 755", "to/f", "to/l", "to/s/ 751"]);
  });

  test("inline files", () => {
    const plan = new LayerPlan(base);
    planInlineFile(plan, { name: "f", content: "é" }, { destination: "/d/" }, { owner: undefined, chmod: "" });
    expect(plan.lstat("d/f")).toMatchObject({ type: "file", mode: 0o644, size: 2 });
  });
});

describe("planCopy() refuses", () => {
  test("a directory over a file and a file over a directory", () => {
    make("source", { "d/x/y": "", "e/z": "" });
    make("base", { "to/x": "file", "to/z/": "755" });
    expect(() => copied(["d"], "/to")).toThrow("cannot copy to non-directory: /to/x");
    expect(() => copied(["e"], "/to")).toThrow("cannot replace to directory /to/z with file");
    expect(() => copied(["d"], "/to/x")).toThrow("cannot copy to non-directory: /to/x");
  });

  test("a missing source", () => {
    expect(() => copied(["nope.txt"], "/")).toThrow('"/nope.txt": not found');
  });
});

test("resolveLinks() stops at a loop", () => {
  make("base", { a: "-> b", b: "-> a" });
  expect(() => resolveLinks(base, "a/x")).toThrow("too many levels of symbolic links");
});

test("LayerPlan.answers say of an empty root that nothing was there", () => {
  make("source", { a: "1", "dir/b": "2" });
  const plan = new LayerPlan(undefined);
  for (const [path, destination] of [
    ["a", "/new/a"],
    ["dir", "/d"],
  ] as const) {
    for (const selection of selectSources(source, [pathOf(path)]).flatMap(({ selections }) => selections))
      planCopy(plan, source, selection, { destination }, { owner: undefined, chmod: "" });
  }
  expect([...plan.answers].sort()).toEqual([
    ["d", undefined],
    ["new", undefined],
  ]);
});

test("planCopy() refuses a directory where a file is", () => {
  make("source", { "dir/b": "2" });
  make("base", { d: "a file" });
  expect(() => copied(["dir"], "/d")).toThrow("cannot copy to non-directory: /d");
});

describe("selectSources() with a pattern", () => {
  test("counts characters, not bytes", () => {
    make("source", { "café.txt": "", "cafe.txt": "", "caffe.txt": "" });
    const chosen = selectSources(source, [pathOf("caf?.txt")]).flatMap(({ selections }) => selections);
    expect(chosen.map(({ name }) => Buffer.from(name, "latin1").toString()).toSorted()).toEqual([
      "cafe.txt",
      "café.txt",
    ]);
  });

  test("looks no further down than the pattern reaches", () => {
    make("source", { "a/b/c/d": "", "a/x": "", y: "" });
    const asked: string[] = [];
    const watched = Object.assign(Object.create(source), {
      lstat: (path: string) => source.lstat(path),
      descendants: function* descendants(path: string, depth?: number) {
        for (const found of source.descendants(path, depth)) {
          asked.push(found[0]);
          yield found;
        }
      },
    });
    const [selected] = selectSources(watched, [pathOf("*/x")]);
    expect(selected?.selections.map(({ path }) => path)).toEqual(["a/x"]);
    expect(asked).toEqual(["a", "a/b", "a/x", "y"]);
  });
});
