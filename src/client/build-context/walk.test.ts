import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { IgnoreMatcher, parseDockerignore } from "#formats/dockerignore.ts";
import { walkContext } from "./walk.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "berth-walk-"));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(...paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), path);
  }
}

function walk(ignore = ""): readonly string[] {
  return walkContext(root, new IgnoreMatcher(parseDockerignore(ignore))).entries.map((entry) => entry.p);
}

describe("walkContext()", () => {
  test("lists files, directories and links, sorted bytewise, with what stat says", () => {
    write("b", "a/x", "a-b", "a/y/z");
    symlinkSync("b", join(root, "link"));
    const { entries, began } = walkContext(root, new IgnoreMatcher([]));
    expect(entries.map((entry) => [entry.p, entry.t])).toEqual([
      ["a", "d"],
      ["a-b", "f"],
      ["a/x", "f"],
      ["a/y", "d"],
      ["a/y/z", "f"],
      ["b", "f"],
      ["link", "l"],
    ]);
    expect(entries[1]).toMatchObject({ s: 3, m: 0o644 });
    expect(entries[6]).toMatchObject({ s: 0, l: "b" });
    expect(entries[5]!.ct).toBeLessThanOrEqual(began + 1);
  });

  test("names that are not UTF-8 survive, and non-ASCII ones match patterns", () => {
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe])]), "");
    symlinkSync(Buffer.from([0xfd]), join(root, "l"));
    write("é", "ü/x");
    const { entries } = walkContext(root, new IgnoreMatcher(parseDockerignore("?/x\né")));
    expect(entries.map((entry) => entry.p)).toEqual(["l", "\u00c3\u00bc", "\u00ff\u00fe"]);
    expect(entries[0]!.l).toBe("\u00fd");
  });

  test("skips pipes and sockets", () => {
    execFileSync("mkfifo", [join(root, "pipe")]);
    write("a");
    expect(walk()).toEqual(["a"]);
  });

  test("does not enter ignored directories, unless a ! pattern may match below", () => {
    write("node_modules/a/b", "src/a", "docs/x", "docs/keep/y", "docs/keep/z");
    expect(walk("node_modules\ndocs")).toEqual(["src", "src/a"]);
    expect(walk("*\n!docs/keep/y")).toEqual(["docs", "docs/keep", "docs/keep/y"]);
    expect(walk("**\n!src")).toEqual(["src", "src/a"]);
    expect(walk("*\n!nothing/here")).toEqual([]);
  });

  test("finds just what the matcher keeps and its parents, whatever the patterns", () => {
    write("a/a", "a/b/a", "a/b/c", "b/a", "b/c/a/b", "c", "ab");
    const all = walk();
    const part = fc.constantFrom("a", "b", "c", "*", "**", "a*");
    const line = fc.tuple(fc.boolean(), fc.array(part, { minLength: 1, maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
        const ignore = lines.map(([keep, parts]) => (keep ? "!" : "") + parts.join("/")).join("\n");
        const matcher = new IgnoreMatcher(parseDockerignore(ignore));
        const kept = all.filter((path) => !matcher.ignores(path));
        const expected = all.filter((path) => kept.some((other) => other === path || other.startsWith(`${path}/`)));
        expect(walk(ignore)).toEqual(expected);
      }),
    );
  });

  test("says what is no directory", () => {
    write("file");
    expect(() => walkContext(join(root, "none"), new IgnoreMatcher([]))).toThrow("not found");
    expect(() => walkContext(join(root, "file"), new IgnoreMatcher([]))).toThrow("is not a directory");
  });
});
