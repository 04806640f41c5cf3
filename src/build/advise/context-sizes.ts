import type { ContextSizes } from "#spec/build-advice.ts";
import type { BuildContext } from "../builder.ts";
import type { Dockerfile } from "../instructions/types.ts";

const LISTED = 10;

/** What seldom belongs into an image: made anew in it, or of use to people only. */
const SELDOM_WANTED = [
  ".git",
  "node_modules",
  "__pycache__",
  ".venv",
  "venv",
  ".tox",
  ".pytest_cache",
  ".mypy_cache",
  "target",
  "coverage",
  ".next",
  ".gradle",
  ".terraform",
  ".idea",
  ".vscode",
  ".DS_Store",
];

/** What the context holds (after .dockerignore), and ignore lines for what no COPY names and seldom belongs into an image. */
export function contextSizes({ entries }: Pick<BuildContext, "entries">, dockerfile: Dockerfile): ContextSizes {
  const bySegment = new Map<string, number>();
  const byRoot = new Map<string, number>();
  const seldom = new Map<string, number>();
  let [size, files] = [0, 0];
  for (const entry of entries) {
    if (entry.type !== "file") continue;
    size += entry.size;
    files++;
    const parts = entry.path.split("/");
    add(byRoot, parts.length > 1 ? `${parts[0]}/` : (parts[0] ?? ""), entry.size);
    if (parts.length > 2) add(bySegment, `${parts[0]}/${parts[1]}/`, entry.size);
    const unwanted = parts.find((part) => SELDOM_WANTED.includes(part));
    if (unwanted !== undefined) add(seldom, parts[0] === unwanted ? unwanted : `**/${unwanted}`, entry.size);
  }
  const named = namedSources(dockerfile);
  const ignore = [...seldom]
    .filter(([line]) => !named.some((source) => source.includes(line.replace("**/", ""))))
    .map(([line, bytes]) => ({ line, size: bytes }));
  const all = [...byRoot, ...bySegment].map(([path, bytes]) => ({ path: readable(path), size: bytes }));
  return { size, files, largest: largest(all), ignore: ignore.toSorted((a, b) => b.size - a.size) };
}

function largest(all: readonly { readonly path: string; readonly size: number }[]): ContextSizes["largest"] {
  return all
    .filter(({ size }) => size > 0)
    .toSorted((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1))
    .slice(0, LISTED);
}

function namedSources({ stages }: Dockerfile): readonly string[] {
  const instructions = stages.flatMap((stage) => stage.instructions);
  return instructions.flatMap((instruction) =>
    instruction.kind === "copy" || instruction.kind === "add" ? instruction.sources : [],
  );
}

function add(sums: Map<string, number>, key: string, bytes: number): void {
  sums.set(key, (sums.get(key) ?? 0) + bytes);
}

function readable(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}
