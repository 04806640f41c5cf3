import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setXattr } from "#sys/xattr.ts";
import { layerChanges } from "./mount-stubs.ts";
import { walkUpper } from "./upper-walk.ts";

let base: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "berth-changes-"));
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Makes a directory of the layers or of the upper directory, as overlayfs copies it up: with its time. */
function directory(part: "below" | "upper", path: string, seconds = 1000): string {
  const at = join(base, part, path);
  mkdirSync(at, { recursive: true });
  utimesSync(at, seconds, seconds);
  return at;
}

const changed = (): string[] =>
  [...layerChanges(walkUpper(join(base, "upper"), join(base, "below")))].map(({ path }) => path);

test("layerChanges() leaves out directories in which nothing changed, not their attributes nor what stands in a replaced one", () => {
  for (const part of ["below", "upper"] as const) {
    for (const path of ["same/deep", "same", "marked", "timed", "etc", "changed/deep", "changed", "replaced/deep"])
      directory(part, path);
  }
  writeFileSync(join(base, "upper/changed/deep/new"), "");
  writeFileSync(join(base, "upper/etc/hosts"), "");
  directory("upper", "etc");
  setXattr(join(base, "upper/marked"), "user.mark", "1");
  setXattr(join(base, "upper/same"), "trusted.overlay.impure", "y");
  directory("upper", "timed", 2000);
  setXattr(join(base, "upper/replaced"), "trusted.overlay.opaque", "y");
  expect(changed()).toEqual([
    "changed",
    "changed/deep",
    "changed/deep/new",
    "marked",
    "replaced",
    "replaced/deep",
    "timed",
  ]);
});
