/**
 * Fails when a document links to a file that is not there, names a source path that is not there, or is longer than anybody reads.
 * Placeholders (`src/<layer>/`) are passed over.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const MAX_LINES = 120;
const LINK = /\]\((?!https?:|#)([^)#\s]+)/g;
const PATH = /`((?:src|test|tools|docs|bench|demo|examples)\/[\w./-]*)`/g;

const top = join(import.meta.dirname, "..");
const problems: string[] = [];
const documents = [
  ...readdirSync(top).map((name) => join(top, name)),
  ...readdirSync(join(top, "docs"), { recursive: true, encoding: "utf8" }).map((name) => join(top, "docs", name)),
].filter((path) => path.endsWith(".md"));

for (const path of documents) {
  const text = readFileSync(path, "utf8");
  const name = relative(top, path);
  const lines = text.split("\n").length - 1;
  if (lines > MAX_LINES) problems.push(`${name}: ${lines} lines, more than ${MAX_LINES}: split it`);
  for (const [, target = ""] of text.matchAll(LINK)) {
    if (!existsSync(join(dirname(path), target))) problems.push(`${name}: links to ${target}, which is not there`);
  }
  for (const [, target = ""] of text.matchAll(PATH)) {
    if (!existsSync(join(top, target))) problems.push(`${name}: names ${target}, which is not there`);
  }
}

if (documents.length === 0) problems.push("no document was found to check");
for (const problem of problems) console.error(problem);
console.log(`check-docs: ${documents.length} files, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
