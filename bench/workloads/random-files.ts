import { randomFillSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FILE = 10_000_000;

/** Fills `directory` with files of 10 MB each that no engine can compress or take for one another. `size` in bytes. */
export function writeRandomFiles(directory: string, size: number): void {
  mkdirSync(directory, { recursive: true });
  const bytes = Buffer.alloc(FILE);
  for (let file = 0; file < size / FILE; file++) writeFileSync(join(directory, `asset-${file}`), randomFillSync(bytes));
}
