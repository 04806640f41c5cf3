import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { cleanPath, followedPath, keepPathEnd, pathBase, planCopy, renameEntry, splitPath } from "./copy-path.ts";

const name = fc.stringMatching(/^[a-z]{1,6}$/);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join("/")}`);
const ending = fc.constantFrom("", "/", "/.");

describe("planCopy()", () => {
  const source = (at: string, isDirectory: boolean) => ({ path: at, exists: true, isDirectory });
  const missing = (at: string) => ({ path: at, exists: false, isDirectory: false });

  test("has Docker's rule for every kind of source and destination", () => {
    const directory = { path: "/dst/d", exists: true, isDirectory: true };
    const file = { path: "/dst/f", exists: true, isDirectory: false };
    expect(planCopy(source("/s/a", false), directory)).toEqual({ directory: "/dst/d" });
    expect(planCopy(source("/s/a/.", true), directory)).toEqual({ directory: "/dst/d" });
    expect(planCopy(source("/s/a", false), file)).toEqual({ directory: "/dst", rename: { from: "a", to: "f" } });
    expect(planCopy(source("/s/a", true), missing("/dst/new"))).toEqual({
      directory: "/dst",
      rename: { from: "a", to: "new" },
    });
    expect(planCopy(source("/s/a/.", true), missing("/dst/new/"))).toEqual({
      directory: "/dst",
      rename: { from: ".", to: "new" },
    });
    expect(() => planCopy(source("/s/a", true), file)).toThrow("cannot copy directory");
    expect(() => planCopy(source("/s/a", false), missing("/dst/new/"))).toThrow("no such directory");
    expect(() => planCopy(source("/s/a", false), missing("/dst/new/."))).toThrow("no such directory");
  });

  test("puts what is copied under the destination's name, whatever the paths", () => {
    fc.assert(
      fc.property(path, ending, path, fc.constantFrom("", "/"), (from, end, to, slash) => {
        const { directory, rename } = planCopy(source(`${from}${end}`, true), missing(`${to}${slash}`));
        const first = splitPath(`${from}${end}`).base;
        expect(`${directory === "/" ? "" : directory}/${renameEntry(first, rename)}`).toBe(to);
        expect(renameEntry(`${first}/x/${first}`, rename)).toBe(`${splitPath(to).base}/x/${first}`);
      }),
    );
  });
});

describe("renameEntry()", () => {
  test("changes whole parts only, and the root's entries", () => {
    expect(renameEntry("dir2/a", { from: "dir", to: "x" })).toBe("dir2/a");
    expect(renameEntry("dir/dir/a", { from: "dir", to: "x" })).toBe("x/dir/a");
    expect(renameEntry("/etc/a", { from: "/", to: "x" })).toBe("x/etc/a");
    expect(renameEntry("a", undefined)).toBe("a");
  });
});

describe("keepPathEnd()", () => {
  test("gives a cleaned path its end back", () => {
    fc.assert(
      fc.property(path, ending, (at, end) => {
        expect(keepPathEnd(cleanPath(`${at}${end}`), `${at}${end}`)).toBe(`${at}${end}`);
      }),
    );
    expect(keepPathEnd("/", "/.")).toBe("/.");
    expect(keepPathEnd("/", ".")).toBe("/.");
    expect(pathBase("/")).toBe("/");
  });
});

describe("followedPath()", () => {
  test("keeps the name that was asked for", () => {
    expect(followedPath("/a/link", "/b/target")).toEqual({ path: "/b/target", rebaseName: "link" });
    expect(followedPath("/a/link/", "/b/target")).toEqual({ path: "/b/target/", rebaseName: "link" });
    expect(followedPath("/a/link/.", "/b/target")).toEqual({ path: "/b/target/." });
    expect(followedPath("/a/same", "/b/same")).toEqual({ path: "/b/same" });
  });
});
