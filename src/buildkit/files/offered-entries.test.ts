import { describe, expect, test } from "bun:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { type Stat, StatSchema } from "#proto/fsutil_pb.ts";
import { entryType, goFileMode, permissionBits } from "./go-file-mode.ts";
import { OfferedEntries } from "./offered-entries.ts";

function stat(path: string, more: Omit<MessageInitShape<typeof StatSchema>, "$typeName" | "$unknown"> = {}): Stat {
  return create(StatSchema, { path, mode: 0o644, ...more });
}

describe("OfferedEntries", () => {
  test("sorts bytewise what comes in the order of a walk, and counts ids as they came", () => {
    const entries = new OfferedEntries();
    for (const path of ["a", "a/b", "a.b", "ä"]) entries.add(stat(path));
    expect(entries.sorted().map(({ id, line }) => [id, line.p])).toEqual([
      [0, "a"],
      [2, "a.b"],
      [1, "a/b"],
      [3, "Ã¤"],
    ]);
  });

  test("a hard link has the size of the file before it; pipes and devices are left out", () => {
    const entries = new OfferedEntries();
    entries.add(stat("a", { size: 7n, modTime: 1_500_000_001n }));
    entries.add(stat("pipe", { mode: 0x0200_01a4 }));
    entries.add(stat("z", { linkname: "a" }));
    expect(entries.sorted().map(({ id, line }) => [id, line.s])).toEqual([
      [0, 7],
      [2, 7],
    ]);
    expect(entries.sorted()[0]?.line).toMatchObject({ mt: 1500, i: 1 });
    expect(() => entries.add(stat("y", { linkname: "nowhere" }))).toThrow("which is no file before it");
  });
});

test("entryType() and permissionBits() read what goFileMode() writes", () => {
  fc.assert(
    fc.property(fc.constantFrom("f", "d", "l"), fc.integer({ min: 0, max: 0o7777 }), (type, mode) => {
      const written = goFileMode(type, mode);
      expect(entryType(written)).toBe(type);
      expect(permissionBits(written)).toBe(mode);
    }),
  );
});
