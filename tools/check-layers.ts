/**
 * Fails when a file imports from a layer that its own layer may not know (docs/architecture.md has the table and the reasons),
 * reaches into another layer by a relative path, or imports `bun:ffi` outside `sys`. TypeScript 7 has no compiler API that the
 * usual tools need, so the import lines are read as text; every import form that the formatter leaves is covered.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  lib: ["errors"],
  spec: [],
  formats: ["errors", "lib", "spec"],
  sys: ["errors", "lib"],
  store: ["errors", "lib", "spec", "formats", "sys"],
  snapshot: ["errors", "lib", "spec", "formats", "sys"],
  files: ["errors", "lib", "spec", "formats", "sys", "snapshot"],
  registry: ["errors", "lib", "spec", "formats"],
  runtime: ["errors", "lib", "spec", "formats", "sys"],
  network: ["errors", "lib", "spec", "sys"],
  volume: ["errors", "lib", "spec", "sys"],
  build: ["errors", "lib", "spec", "formats", "store", "snapshot", "runtime"],
  engine: [
    "errors",
    "lib",
    "spec",
    "formats",
    "store",
    "snapshot",
    "files",
    "registry",
    "runtime",
    "network",
    "volume",
    "build",
  ],
  server: ["errors", "lib", "spec", "formats", "engine"],
  proto: [],
  buildkit: ["errors", "lib", "spec", "formats", "proto", "build", "engine", "server"],
  client: ["errors", "lib", "spec", "formats", "proto"],
  cli: ["errors", "lib", "spec", "formats", "client"],
  daemon: [
    "errors",
    "lib",
    "spec",
    "formats",
    "sys",
    "store",
    "snapshot",
    "files",
    "registry",
    "runtime",
    "network",
    "volume",
    "build",
    "engine",
    "server",
    "buildkit",
  ],
};

const IMPORT = /(?:from\s+|import\s*\(\s*|import\s+)"([^"]+)"/g;
const source = join(import.meta.dirname, "..", "src");
const problems: string[] = [];
let files = 0;

for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
  files++;
  checkFile(relative(source, join(entry.parentPath, entry.name)));
}

function checkFile(file: string): void {
  const layer = file.split("/")[0] ?? "";
  if (file === "main.ts") return;
  const allowed = MAY_IMPORT[layer];
  if (!allowed) {
    problems.push(`${file}: "${layer}" is not a layer`);
    return;
  }
  const isTest = file.endsWith(".test.ts") || file.endsWith(".contract.ts");
  for (const match of readFileSync(join(source, file), "utf8").matchAll(IMPORT)) {
    const target = match[1] ?? "";
    if (target === "bun:ffi" && layer !== "sys") problems.push(`${file}: only sys may import bun:ffi`);
    if (target.startsWith("#")) {
      const targetLayer = target.slice(1).split("/")[0] ?? "";
      if (targetLayer !== layer && !allowed.includes(targetLayer) && !isTest)
        problems.push(`${file}: ${layer} may not import ${target}`);
    } else if (target.startsWith(".")) {
      const depth = file.split("/").length - 2;
      const ups = target.split("/").filter((part) => part === "..").length;
      if (ups > depth) problems.push(`${file}: use "#layer/..." instead of "${target}"`);
    }
  }
}

if (files === 0) problems.push("no source file was found to check");
for (const problem of problems) console.error(problem);
console.log(`check-layers: ${files} files, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
