import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SystemCallError } from "./libc.ts";
import { getXattr, listXattrs, setXattr } from "./xattr.ts";

let directory: string;
// Not below /tmp: a tmpfs may lack user attributes.
beforeAll(() => {
  directory = mkdtempSync("/var/tmp/berth-xattr-");
});
afterAll(() => rmSync(directory, { recursive: true }));

test("setXattr(), getXattr() and listXattrs() agree, for long and empty values too", () => {
  const path = join(directory, "file");
  writeFileSync(path, "");
  expect(listXattrs(path)).toEqual([]);
  expect(getXattr(path, "user.none")).toBeUndefined();
  const long = Buffer.alloc(3000, 7);
  setXattr(path, "user.long", long);
  setXattr(path, "trusted.text", "y");
  setXattr(path, "user.empty", "");
  expect(getXattr(path, "user.long")).toEqual(long);
  expect(getXattr(path, "trusted.text")?.toString()).toBe("y");
  expect(getXattr(path, "user.empty")?.length).toBe(0);
  expect(listXattrs(path)).toEqual(["trusted.text", "user.empty", "user.long"]);
});

test("getXattr() looks at a link itself, takes names that are not UTF-8, and names the file in its errors", () => {
  const name = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff])]);
  writeFileSync(name, "");
  setXattr(name, "user.x", Buffer.from([0, 255]));
  expect(getXattr(name, "user.x")).toEqual(Buffer.from([0, 255]));
  symlinkSync("file", join(directory, "link"));
  expect(getXattr(join(directory, "link"), "user.long")).toBeUndefined();
  setXattr(join(directory, "link"), "trusted.link", "1");
  expect(listXattrs(join(directory, "link"))).toEqual(["trusted.link"]);
  expect(() => getXattr(join(directory, "none"), "user.x")).toThrow(SystemCallError);
  expect(() => getXattr(join(directory, "none"), "user.x")).toThrow(/none.*ENOENT/);
});
