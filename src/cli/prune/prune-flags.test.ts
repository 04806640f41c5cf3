import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pruneFilters } from "./prune-flags.ts";

const configDirectory = mkdtempSync(join(tmpdir(), "berth-prune-"));
afterAll(() => rmSync(configDirectory, { recursive: true }));

test("pruneFilters() adds those of config.json once, and drops those that the command line contradicts", () => {
  const all = ["label=x=y", "label!=keep", "until=10h", "no filter"];
  writeFileSync(join(configDirectory, "config.json"), JSON.stringify({ pruneFilters: all }));
  const context = { configDirectory };
  const configured = { label: ["x=y"], "label!": ["keep"], until: ["10h"] };
  expect(pruneFilters({}, context)).toEqual(configured);
  expect(pruneFilters({ label: ["x=y"] }, context)).toEqual(configured);
  expect(pruneFilters({ label: ["keep"] }, context)).toEqual({ label: ["keep", "x=y"], until: ["10h"] });
  expect(pruneFilters({ "label!": ["x=y"] }, context)).toEqual({ "label!": ["x=y", "keep"], until: ["10h"] });
});
