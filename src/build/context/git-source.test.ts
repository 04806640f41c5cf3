import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InvalidParameterError } from "#errors/errors.ts";
import { type GitSource, parseGitSource } from "./git-source.ts";

const parse = (text: string, allowBareHost = false): GitSource | undefined => parseGitSource(text, { allowBareHost });

describe("parseGitSource()", () => {
  test.each<[string, Partial<GitSource>]>([
    ["https://h/r.git", { remote: "https://h/r.git", ref: "", subdirectory: "" }],
    ["https://h/r.git#main", { ref: "main" }],
    ["https://h/r.git#main:a/b", { ref: "main", subdirectory: "a/b" }],
    ["https://h/r.git#:a", { ref: "", subdirectory: "a" }],
    ["https://h/r.git#refs/heads/x/y:./a//b/", { ref: "refs/heads/x/y", subdirectory: "a/b" }],
    ["https://h/r.git?branch=b&subdir=s", { remote: "https://h/r.git", ref: "refs/heads/b", subdirectory: "s" }],
    ["https://h/r.git?tag=v1", { ref: "refs/tags/v1" }],
    ["https://h/r.git?commit=0123abc", { ref: "0123abc", checksum: "0123abc" }],
    ["https://h/r.git?keep-git-dir&submodules=false", { keepGitDirectory: true, submodules: false }],
    ["git://h/r", { remote: "git://h/r" }],
    ["ssh://git@h:22/r#v", { remote: "ssh://git@h:22/r", ref: "v" }],
    ["git@github.com:moby/buildkit.git#v1", { remote: "git@github.com:moby/buildkit.git", ref: "v1" }],
  ])("reads %s", (text, expected) => {
    expect(parse(text)).toMatchObject(expected);
  });

  test("takes everything else for a path or a URL", () => {
    const others = [
      "a/b",
      "./x.git",
      "http://h/file.tar",
      "https://h/r.git/x",
      "ftp://h/r.git",
      "github.com/a/b",
      "file:///r.git",
    ];
    expect(others.map((text) => parse(text))).toEqual(others.map(() => undefined));
    expect(parse("github.com/a/b#v", true)).toMatchObject({ remote: "https://github.com/a/b", ref: "v" });
  });

  test.each([
    ["https://h/r.git#-x", "invalid git ref"],
    ["https://h/r.git#a..b", "invalid git ref"],
    ["https://h/r.git#a:../b", "it leads out"],
    ["https://h/r.git?ref=a&ref=b", 'query "ref" has multiple values'],
    ["https://h/r.git?ref=", 'query "ref" has no value'],
    ["https://h/r.git?ref=a#b", 'ref conflicts: "b" vs "a"'],
    ["https://h/r.git?branch=a&tag=b", "ref conflicts"],
    ["https://h/r.git?x=1", 'unexpected query "x"'],
    ["https://h/r.git?checksum=zz", "invalid git checksum"],
    ["ssh://-oProxyCommand=x/r.git", "invalid git URL"],
  ])("refuses %s", (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  test("never gives git anything that it could take for an option", () => {
    const piece = fc.constantFrom(
      "https://",
      "git@",
      "h",
      ":",
      "/",
      "r.git",
      "#",
      "?",
      "ref=",
      "-",
      "--x",
      "..",
      "&",
      "\n",
      " ",
      "a",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          const source = parse(pieces.join(""));
          if (!source) return;
          expect(source.remote.startsWith("-") || source.ref.startsWith("-")).toBe(false);
          expect(source.subdirectory.split("/")).not.toContain("..");
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidParameterError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
