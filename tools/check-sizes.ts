/** Fails when a TypeScript file is longer than MAX_LINES: such a file has more than one idea. CONTRIBUTING.md has the rule. Generated files do not count. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const MAX_LINES = 500;
const FOLDERS = ["src", "test", "tools", "bench", "examples"];

const top = join(import.meta.dirname, "..");
let files = 0;
const problems: string[] = [];

for (const folder of FOLDERS.map((name) => join(top, name)).filter((path) => existsSync(path))) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(ts|js|sh)$/.test(entry.name) || entry.name.endsWith("_pb.ts")) continue;
    const path = join(entry.parentPath, entry.name);
    const lines = readFileSync(path, "utf8").split("\n").length - 1;
    if (lines > MAX_LINES) problems.push(`${relative(top, path)}: ${lines} lines, more than ${MAX_LINES}: split it`);
    files++;
  }
}

if (files === 0) problems.push("no source file was found to measure");
for (const problem of problems) console.error(problem);
console.log(`check-sizes: ${files} files, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
