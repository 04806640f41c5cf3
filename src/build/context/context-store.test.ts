import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import type { ContextEntryLine } from "#spec/berth-api.ts";
import { ContextStore } from "./context-store.ts";
import type { OpenContext } from "./open-context.ts";

const KEY = digestOf("a directory");
const WALKED = 1_000_000;

let directory: string;
let store: ContextStore;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-context-"));
  store = new ContextStore({ boot: "1", directory });
});

afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Path to content; the number is the file's change time. */
type Tree = Readonly<Record<string, string>>;

/** Lines of a tree, directories made up. A file's times and inode follow from its content, as if each change had touched it. */
function linesOf(tree: Tree, walked: number = WALKED): readonly ContextEntryLine[] {
  const lines = new Map<string, ContextEntryLine>();
  for (const [path, content] of Object.entries(tree)) {
    const parts = path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const parent = parts.slice(0, depth).join("/");
      lines.set(parent, { p: parent, t: "d", m: 0o755, s: 0, mt: 5, ct: 5, i: 1 });
    }
    const time = content.startsWith("racy")
      ? walked
      : (Number.parseInt(digestOf(content).slice(7, 13), 16) % 1000) + 0.5;
    lines.set(path, { p: path, t: "f", m: 0o644, s: Buffer.byteLength(content), mt: time, ct: time, i: 42 });
  }
  return [...lines.values()].sort((a, b) => (a.p < b.p ? -1 : 1));
}

async function* bytesOf(...texts: readonly string[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const text of texts) yield Buffer.from(text);
}

function offerText(lines: readonly ContextEntryLine[], header: object = {}): string {
  return [{ key: KEY, walked: WALKED, ...header }, ...lines].map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** Offers a tree, sends what is missing, and opens it. */
async function transfer(tree: Tree, chunkSize = 1000): Promise<{ context: OpenContext; sent: readonly string[] }> {
  const lines = linesOf(tree);
  const { id, missing } = await store.offer(bytesOf(offerText(lines)));
  const sent = missing.map((index) => lines[index]!.p);
  const body = sent.map((path) => tree[path]).join("");
  const chunks = body.match(new RegExp(`[^]{1,${chunkSize}}`, "g")) ?? [];
  if (missing.length > 0) await store.receive(id, bytesOf(...chunks));
  return { context: store.open(id), sent };
}

function contentsOf({ files }: OpenContext): Tree {
  const pairs = files.entries
    .filter((entry) => entry.type === "file")
    .map((entry) => {
      const bytes = files.read(entry);
      expect(entry.digest).toBe(digestOf(bytes));
      return [entry.path, Buffer.from(bytes).toString()] as const;
    });
  return Object.fromEntries(pairs);
}

const TREE: Tree = { a: "first", "d/b": "second", "d/e/c": "", "d/z": "third", z: "last" };

describe("ContextStore", () => {
  test("asks for everything once, then for nothing, then for what changed", async () => {
    await using first = (await transfer(TREE, 3)).context;
    expect(contentsOf(first)).toEqual(TREE);
    expect(first.files.transferred).toBe(Object.values(TREE).join("").length);
    expect(first.files.entries.map((entry) => entry.path)).toEqual(["a", "d", "d/b", "d/e", "d/e/c", "d/z", "z"]);

    const second = await transfer(TREE);
    await using _second = second.context;
    expect(second.sent).toEqual([]);
    expect(second.context.files.transferred).toBe(0);
    expect(contentsOf(second.context)).toEqual(TREE);

    const changed = { ...TREE, "d/b": "SECOND!", new: "file" };
    const third = await transfer(changed);
    await using _third = third.context;
    expect(third.sent).toEqual(["d/b", "new"]);
    expect(contentsOf(third.context)).toEqual(changed);
    expect(contentsOf(first)).toEqual(TREE);
  });

  test("knows what it had after a restart", async () => {
    await (await transfer(TREE)).context[Symbol.asyncDispose]();
    store.close();
    store = new ContextStore({ boot: "1", directory });
    const { context, sent } = await transfer({ ...TREE, a: "changed" });
    await using _context = context;
    expect(sent).toEqual(["a"]);
    expect(contentsOf(context)).toEqual({ ...TREE, a: "changed" });
  });

  test("asks again for a file that changed while it was looked at", async () => {
    const tree = { a: "racy", b: "calm" };
    await (await transfer(tree)).context[Symbol.asyncDispose]();
    const { context, sent } = await transfer(tree);
    await using _context = context;
    expect(sent).toEqual(["a"]);
  });

  test("does as a model does, whatever trees come one after another, also across restarts", async () => {
    const content = fc.constantFrom("one", "two", "three", "", "x".repeat(3000));
    const path = fc.constantFrom("a", "b", "d/a", "d/b", "d/e/f");
    const step = fc.record({ tree: fc.dictionary(path, content, { noNullPrototype: true }), restart: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        let known: Tree = {};
        store.prune();
        for (const { tree, restart } of steps) {
          if (restart) {
            store.close();
            store = new ContextStore({ boot: "1", directory, compactFrom: 1000 });
          }
          const { context, sent } = await transfer(tree, 700);
          await using _context = context;
          expect(sent.toSorted()).toEqual(
            Object.keys(tree)
              .filter((name) => tree[name] !== known[name])
              .toSorted(),
          );
          expect(contentsOf(context)).toEqual(tree);
          known = tree;
        }
      }),
      { numRuns: 60 },
    );
  });

  test("two builds of one directory at once each get their own files", async () => {
    const trees = Array.from({ length: 6 }, (_, index) => ({ ...TREE, a: `version ${index}`, [`own-${index}`]: "x" }));
    const contexts = await Promise.all(trees.map((tree) => transfer(tree, 4)));
    for (const [index, { context }] of contexts.entries()) {
      expect(contentsOf(context)).toEqual(trees[index]!);
      await context[Symbol.asyncDispose]();
    }
  });

  test("an open context outlives a prune and a compaction", async () => {
    store.close();
    store = new ContextStore({ boot: "1", directory, compactFrom: 100 });
    await using open = (await transfer({ big: "x".repeat(1000), small: "s" })).context;
    const smaller = await transfer({ small: "s", other: "y" });
    expect(contentsOf(smaller.context)).toEqual({ small: "s", other: "y" });
    expect(store.usage()[0]!.bytes).toBeGreaterThan(0);
    expect(store.prune()).toBeGreaterThan(0);
    expect(store.usage()).toEqual([]);
    expect(contentsOf(open)).toEqual({ big: "x".repeat(1000), small: "s" });
    expect(contentsOf(smaller.context)).toEqual({ small: "s", other: "y" });
    await smaller.context[Symbol.asyncDispose]();
    expect((await transfer({ small: "s" })).sent).toEqual(["small"]);
  });

  test("compaction gives back the space of what no tree has any more", async () => {
    store.close();
    store = new ContextStore({ boot: "1", directory, compactFrom: 1000 });
    await (await transfer({ big: "x".repeat(100_000), small: "s" })).context[Symbol.asyncDispose]();
    const before = store.usage()[0]!.bytes;
    const { context, sent } = await transfer({ new: "n", small: "s" });
    await using _context = context;
    expect(sent).toEqual(["new"]);
    expect(contentsOf(context)).toEqual({ new: "n", small: "s" });
    expect(store.usage()[0]!.bytes).toBeLessThan(before);
  });

  test("keeps below its bound, least recently used first", async () => {
    store.close();
    store = new ContextStore({ boot: "1", directory, maxBytes: 50_000 });
    for (const name of ["one", "two"]) {
      const { id, missing } = await store.offer(
        bytesOf(offerText(linesOf({ f: name.repeat(10_000) }), { key: digestOf(name) })),
      );
      expect(missing).toEqual([0]);
      await store.receive(id, bytesOf(name.repeat(10_000)));
      await Bun.sleep(5);
    }
    expect(store.usage().map((usage) => usage.key)).toEqual([digestOf("two")]);
  });

  test("a stream that is too short or too long is refused and leaves what was there", async () => {
    await (await transfer(TREE)).context[Symbol.asyncDispose]();
    for (const body of ["SECON", "SECOND!!", ""]) {
      const { id } = await store.offer(bytesOf(offerText(linesOf({ ...TREE, "d/b": "SECOND!" }))));
      await expect(store.receive(id, bytesOf(body))).rejects.toThrow(InvalidParameterError);
      await Bun.sleep(1);
      expect(() => store.open(id)).toThrow(NotFoundError);
    }
    const { context, sent } = await transfer(TREE);
    await using _context = context;
    expect(sent).toEqual([]);
    expect(contentsOf(context)).toEqual(TREE);
  });

  test("a damaged index or a missing pack only means that all is sent again", async () => {
    for (const [suffix, damage] of [
      [".index", (path: string) => writeFileSync(path, readFileSync(path).fill(7, 100, 120))],
      [".index", (path: string) => writeFileSync(path, "")],
      [".pack", (path: string) => writeFileSync(path, "")],
      [".pack", (path: string) => rmSync(path)],
    ] as const) {
      await (await transfer(TREE)).context[Symbol.asyncDispose]();
      store.close();
      const [boot = ""] = readdirSync(directory);
      const [name = ""] = readdirSync(join(directory, boot)).filter((file) => file.endsWith(suffix));
      damage(join(directory, boot, name));
      store = new ContextStore({ boot: "1", directory });
      const { context, sent } = await transfer(TREE);
      await using _context = context;
      expect(sent).toHaveLength(5);
      expect(contentsOf(context)).toEqual(TREE);
    }
  });

  test("drops what an earlier boot and a crash left", async () => {
    await (await transfer(TREE)).context[Symbol.asyncDispose]();
    store.close();
    const [boot = ""] = readdirSync(directory);
    writeFileSync(join(directory, "other-boot"), "");
    writeFileSync(join(directory, boot, ".tmp-1"), "");
    writeFileSync(join(directory, boot, `${"0".repeat(64)}-abc.pack`), "");
    store = new ContextStore({ boot: "1", directory });
    expect(readdirSync(directory)).toEqual([boot]);
    expect(readdirSync(join(directory, boot))).toHaveLength(2);
  });

  test("the client's own Dockerfile wins; otherwise the context has it", async () => {
    const dockerfile = Buffer.from("FROM own").toString("base64");
    const { id } = await store.offer(bytesOf(offerText([], { dockerfile })));
    await using own = store.open(id);
    expect(own.files.entries).toEqual([]);
    expect(store.usage()).toEqual([]);
    expect(Buffer.from(own.dockerfile("Dockerfile")).toString()).toBe("FROM own");
    await using other = (await transfer({ dockerfile: "FROM lower", "sub/F": "FROM sub" })).context;
    expect(Buffer.from(other.dockerfile("Dockerfile")).toString()).toBe("FROM lower");
    expect(Buffer.from(other.dockerfile("./sub/F")).toString()).toBe("FROM sub");
    expect(() => other.dockerfile("../F")).toThrow("failed to read dockerfile: open ../F: no such file or directory");
  });

  test("an incomplete context cannot be opened, an unknown one neither", async () => {
    const { id } = await store.offer(bytesOf(offerText(linesOf(TREE))));
    expect(() => store.open(id)).toThrow("has not been received");
    expect(() => store.open(id)).toThrow("No such build context");
    await expect(store.receive("x", bytesOf())).rejects.toThrow(NotFoundError);
  });
});

describe("ContextStore.offer() refuses", () => {
  const file: ContextEntryLine = { p: "a", t: "f", m: 0o644, s: 1, mt: 1, ct: 1, i: 1 };
  test.each<[string, readonly object[], object]>([
    ["an absolute path", [{ ...file, p: "/a" }], {}],
    ["a path that leads out", [{ ...file, p: ".." }], {}],
    ["a path with .. inside", [{ ...file, p: "a/../b" }], {}],
    ["a dot", [{ ...file, p: "." }], {}],
    ["an empty path", [{ ...file, p: "" }], {}],
    ["a trailing slash", [{ ...file, p: "a/" }], {}],
    ["NUL", [{ ...file, p: "a\0b" }], {}],
    ["characters that are no bytes", [{ ...file, p: "€" }], {}],
    ["a path without end", [{ ...file, p: "a".repeat(5000) }], {}],
    ["a duplicate", [file, file], {}],
    ["disorder", [{ ...file, p: "b" }, file], {}],
    ["a missing parent", [{ ...file, p: "d/a" }], {}],
    ["a file as parent", [file, { ...file, p: "a/b" }], {}],
    ["an unknown type", [{ ...file, t: "x" }], {}],
    ["a negative size", [{ ...file, s: -1 }], {}],
    ["a broken size", [{ ...file, s: 1.5 }], {}],
    ["a huge mode", [{ ...file, m: 0o100644 }], {}],
    ["a time that is none", [{ ...file, mt: null }], {}],
    ["a content that is no text", [{ ...file, c: 1 }], {}],
    ["a content of another size", [{ ...file, c: "YWI=" }], {}],
    ["a content that is not base64", [{ ...file, s: 3, c: "(%~)" }], {}],
    ["a link without target", [{ ...file, t: "l" }], {}],
    ["a line that is no object", [[]], {}],
    ["a key that is a path", [file], { key: "../../x" }],
    ["a header without time", [file], { walked: "now" }],
  ])("%s", async (_, lines, header) => {
    const text = [{ key: KEY, walked: WALKED, ...header }, ...lines]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join("");
    await expect(store.offer(bytesOf(text))).rejects.toThrow(InvalidParameterError);
  });

  test("what is no JSON, and nothing at all", async () => {
    await expect(store.offer(bytesOf("{]\n"))).rejects.toThrow(InvalidParameterError);
    await expect(store.offer(bytesOf())).rejects.toThrow(InvalidParameterError);
  });

  test("nothing that is cut into pieces anywhere", async () => {
    const text = offerText(linesOf(TREE));
    const { missing } = await store.offer(bytesOf(...text));
    expect(missing).toHaveLength(5);
  });
});
