import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const SOURCES = join(import.meta.dirname, "..");
/** Each of the others costs 1 to 3 ms of a start, most of them by way of `node:stream`. */
const CHEAP = ["node:fs", "node:fs/promises", "node:os", "node:path"];
/** What every command loads, and `build`, does without 0.2 ms too. */
const CHEAPEST = ["node:fs", "node:path"];
/** They work longer than what they load costs. */
const EXCUSED: Readonly<Record<string, readonly string[]>> = {
  "builder/cache-mount-export.ts": ["node:stream", "node:stream/promises"],
  "container/cp.ts": ["node:child_process", "node:util"],
  "container/export.ts": ["node:stream", "node:stream/promises"],
  "container/stats.ts": ["node:timers/promises"],
  "context/create.ts": ["node:crypto"],
  "context/update.ts": ["node:crypto"],
  "image/save.ts": ["node:stream", "node:stream/promises"],
};

const transpiler = new Bun.Transpiler({ loader: "ts" });

/** The modules from outside the project that `file` loads before it runs, by itself or by what it imports. */
function outsideModules(file: string, seen: Set<string> = new Set()): readonly string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const imports = transpiler.scanImports(readFileSync(file, "utf8")).filter(({ kind }) => kind === "import-statement");
  return imports.flatMap(({ path }) => {
    if (path.startsWith("#")) return outsideModules(join(SOURCES, path.slice(1)), seen);
    return path.startsWith(".") ? outsideModules(join(dirname(file), path), seen) : path;
  });
}

test("the command line and its commands load no module that takes milliseconds", () => {
  const commands = readdirSync(join(SOURCES, "cli/commands"), { recursive: true, encoding: "utf8" });
  const files = commands.filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  expect(files.length).toBeGreaterThan(50);
  for (const file of ["cli/main.ts", "cli/commands/build/build.ts"])
    expect(new Set(outsideModules(join(SOURCES, file)))).toEqual(new Set(CHEAPEST));
  const found = files.flatMap((file) => {
    const dear = outsideModules(join(SOURCES, "cli/commands", file)).filter((name) => !CHEAP.includes(name));
    return dear.length > 0 ? [[file, [...new Set(dear)].sort()] as const] : [];
  });
  expect(new Map<string, readonly string[]>(found)).toEqual(new Map(Object.entries(EXCUSED)));
});
