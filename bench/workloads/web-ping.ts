import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const EXAMPLE = join(import.meta.dirname, "..", "..", "examples", "web-ping");

/** Makes `context` the example's, on another base. `steps` are lines of the Dockerfile that come first. */
export function writeWebPing(context: string, base: string, steps: readonly string[] = []): void {
  cpSync(EXAMPLE, context, { recursive: true });
  const dockerfile = readFileSync(join(context, "Dockerfile"), "utf8");
  const from = [`FROM ${base}`, ...steps].join("\n");
  writeFileSync(join(context, "Dockerfile"), dockerfile.replace("FROM diamol/node", from));
}
