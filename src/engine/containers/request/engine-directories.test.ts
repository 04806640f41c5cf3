import { expect, test } from "bun:test";
import { bindPropagation } from "./engine-directories.ts";

const DIRECTORIES = { dataRoot: "/var/lib/berth", mounts: "/run/berth/m" };

test("bindPropagation() leaves binds alone that show nothing of the engine", () => {
  for (const source of ["/srv", "/var/lib/berth-other", "/run/berth/berth.sock", "/run/berth/mnt"])
    expect(bindPropagation(DIRECTORIES, source, "")).toEqual({ propagation: "" });
  expect(bindPropagation(DIRECTORIES, "/srv", "rprivate")).toEqual({ propagation: "rprivate" });
});

test("bindPropagation() makes binds slaves that show what the engine mounts, and refuses what would hold it", () => {
  for (const source of ["/", "/var", "/var/lib/berth", "/var/lib/berth/volumes/x/_data", "/run", "/run/berth/m/r"])
    expect(bindPropagation(DIRECTORIES, source, "")).toEqual({ propagation: "rslave", showsEngine: true });
  expect(bindPropagation(DIRECTORIES, "/", "rshared")).toEqual({ propagation: "rshared", showsEngine: true });
  for (const asked of ["private", "rprivate", "shared", "slave"])
    expect(() => bindPropagation(DIRECTORIES, "/", asked)).toThrow(
      `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: "/var/lib/berth", bind mount source: "/", propagation: "${asked}"`,
    );
});
