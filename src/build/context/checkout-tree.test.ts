import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkoutTree } from "./checkout-tree.ts";

test("checkoutTree() shows nothing of .git, by whatever path it is asked for, unless it is kept", () => {
  const directory = mkdtempSync("/tmp/berth-checkout-");
  try {
    for (const name of [".git", "module"]) mkdirSync(join(directory, name));
    for (const name of [".git/config", "module/.git", "module/file"]) writeFileSync(join(directory, name), "");
    const options = { subdirectory: "", mtime: 7 };
    const hidden = checkoutTree(directory, { ...options, keepGitDirectory: false });
    expect([...hidden.descendants("")].map(([path]) => path)).toEqual(["module", "module/file"]);
    expect([".git", ".git/config", "module/.git"].map((path) => hidden.lstat(path))).toEqual(Array(3).fill(undefined));
    const kept = checkoutTree(directory, { ...options, keepGitDirectory: true });
    expect(kept.lstat(".git/config")).toMatchObject({ type: "file", mode: 0o644, mtime: 7 });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
