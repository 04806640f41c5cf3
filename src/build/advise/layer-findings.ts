import type { TarEntry } from "#formats/tar/tar-entry.ts";
import { TarParser } from "#formats/tar/tar-parser.ts";
import type { LayerFinding } from "#spec/build-advice.ts";

/** A step's layer to be looked at, bottom first in the list. */
export interface LayerToRead {
  readonly step: string;
  /** Its tar. */
  read(): AsyncIterable<Uint8Array>;
}

/** Directories that package managers fill for their next run, which a layer never has. */
const CACHES: readonly { readonly path: string; readonly what: string; readonly target: string }[] = [
  { path: "var/lib/apt/lists/", what: "package lists of apt", target: "/var/lib/apt" },
  { path: "var/cache/apt/", what: "the cache of apt", target: "/var/cache/apt" },
  { path: "var/cache/apk/", what: "the cache of apk", target: "/var/cache/apk" },
  { path: "var/cache/dnf/", what: "the cache of dnf", target: "/var/cache/dnf" },
  { path: "root/.npm/", what: "the cache of npm", target: "/root/.npm" },
  { path: "root/.cache/pip/", what: "the cache of pip", target: "/root/.cache/pip" },
  { path: "root/.cache/go-build/", what: "the build cache of go", target: "/root/.cache/go-build" },
  { path: "usr/local/share/.cache/yarn/", what: "the cache of yarn", target: "/usr/local/share/.cache/yarn" },
  { path: "root/.cargo/registry/", what: "the registry of cargo", target: "/root/.cargo/registry" },
];

const WHITEOUT = /^(.*\/)?\.wh\.([^/]+)$/;

/** Layers that delete what an earlier one of these added (the bytes stay in the image), and caches that were left in layers. */
export async function layerFindings(layers: readonly LayerToRead[]): Promise<LayerFinding[]> {
  const findings: LayerFinding[] = [];
  /** Sizes of files that the layers so far added, by path. */
  const added = new Map<string, { readonly size: number; readonly step: string }>();
  for (const { step, read } of layers) {
    const entries = await entriesOf(read());
    findings.push(...deletions(step, entries, added), ...leftCaches(step, entries));
    for (const { path, size, type } of entries) if (type === "file") added.set(path, { size, step });
  }
  return findings;
}

function deletions(
  step: string,
  entries: readonly TarEntry[],
  added: ReadonlyMap<string, { readonly size: number; readonly step: string }>,
): LayerFinding[] {
  const gone = entries.flatMap(({ path }) => {
    const match = WHITEOUT.exec(path);
    return match && !match[2]?.startsWith(".wh.") ? [`${match[1] ?? ""}${match[2] ?? ""}`] : [];
  });
  const bySource = new Map<string, { size: number; names: Set<string> }>();
  for (const [path, file] of added) {
    const name = gone.find((deleted) => path === deleted || path.startsWith(`${deleted}/`));
    if (name === undefined) continue;
    const sum = bySource.get(file.step) ?? { size: 0, names: new Set() };
    sum.size += file.size;
    sum.names.add(name);
    bySource.set(file.step, sum);
  }
  return [...bySource].map(([source, { size, names }]) => {
    const [first = "", ...others] = names;
    const which = `/${first}${others.length > 0 ? ` and ${others.length} more` : ""}`;
    return {
      step,
      kind: "deletes",
      size,
      text: `deletes ${which} that ${source} added: the bytes stay in the image; delete them in the step that makes them`,
    };
  });
}

function leftCaches(step: string, entries: readonly TarEntry[]): LayerFinding[] {
  return CACHES.flatMap(({ path, what, target }) => {
    const files = entries.filter((entry) => entry.type === "file" && entry.path.startsWith(path));
    const size = files.reduce((sum, file) => sum + file.size, 0);
    if (size === 0) return [];
    return [
      {
        step,
        kind: "cache" as const,
        size,
        text: `leaves ${what} in its layer: use RUN --mount=type=cache,target=${target}`,
      },
    ];
  });
}

async function entriesOf(tar: AsyncIterable<Uint8Array>): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  const parser = new TarParser({ entry: (entry) => void entries.push(entry) });
  for await (const chunk of tar) parser.push(chunk);
  parser.end();
  return entries;
}
