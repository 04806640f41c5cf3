import { posix } from "node:path";
import { NotImplementedError } from "#errors/errors.ts";
import { type TarEntry, tarText } from "#formats/tar/tar-entry.ts";
import { readTar } from "#formats/tar/tar-reader.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { OPAQUE_MARKER, WHITEOUT_PREFIX } from "#formats/whiteout.ts";

/** A layer's tar, read anew by each call. */
export type LayerTar = () => AsyncIterable<Uint8Array>;

/**
 * One layer with what `layers` (bottom first) make together over whatever lies below them: what an upper one replaced or deleted is not in it,
 * deletions of what lies below are. Throws NotImplementedError for sparse files.
 */
export async function* mergeLayers(layers: readonly LayerTar[]): AsyncGenerator<Uint8Array, void, void> {
  const plan = new MergePlan();
  const heirs = new Map<number, ReadonlyMap<string, string>>();
  for (const [index, layer] of [...layers.entries()].reverse()) {
    const headers = await headersOf(layer);
    plan.add(index, headers);
    heirs.set(
      index,
      heirsOf(headers, (path) => plan.has(index, path)),
    );
  }
  for (const [index, layer] of layers.entries()) yield* chosen(index, layer, plan, heirs.get(index) ?? new Map());
  yield TAR_END;
}

/** Of files that are not in the result, by path: the first of their further names that is, which gets their content. */
function heirsOf(headers: readonly TarEntry[], isChosen: (path: string) => boolean): ReadonlyMap<string, string> {
  const heirs = new Map<string, string>();
  for (const entry of headers) {
    if (entry.type !== "hardlink") continue;
    const target = trimmed(entry.linkPath);
    if (!isChosen(target) && isChosen(pathOf(entry)) && !heirs.has(target)) heirs.set(target, pathOf(entry));
  }
  return heirs;
}

async function headersOf(layer: LayerTar): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [];
  for await (const { entry } of readTar(layer())) entries.push(entry);
  return entries;
}

async function* chosen(
  index: number,
  layer: LayerTar,
  plan: MergePlan,
  heirs: ReadonlyMap<string, string>,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const { entry, body } of readTar(layer())) {
    const path = pathOf(entry);
    const isChosen = plan.has(index, path);
    const name = isChosen ? entry.path : heirs.get(path);
    if (name === undefined) continue;
    if (entry.sparse) throw new NotImplementedError(`--squash: "${tarText(path)}" is a sparse file`);
    const heir = entry.type === "hardlink" ? heirs.get(trimmed(entry.linkPath)) : undefined;
    // It has been written with the content already.
    if (heir === path) continue;
    yield tarHeader({ ...entry, path: name, linkPath: heir ?? entry.linkPath });
    if (entry.size > 0) {
      yield* body;
      yield tarPadding(entry.size);
    }
    if (isChosen && plan.isOpaque(path)) {
      yield tarHeader({
        ...entry,
        type: "file",
        path: `${path}/${OPAQUE_MARKER}`,
        mode: 0,
        size: 0,
        xattrs: new Map(),
      });
    }
  }
}

/** Which layer each path is taken from. Layers are added from the top down. */
class MergePlan {
  readonly #from = new Map<string, number>();
  readonly #directories = new Set<string>();
  /** Paths of which nothing that lies deeper shows. */
  readonly #hidden = new Set<string>();
  /** Directories that hide what lies below all these layers. */
  readonly #opaque = new Set<string>();

  add(index: number, entries: readonly TarEntry[]): void {
    const hidden: string[] = [];
    for (const entry of entries) {
      const path = pathOf(entry);
      const name = posix.basename(path);
      if (name === OPAQUE_MARKER) hidden.push(this.#makeOpaque(posix.dirname(path)));
      else if (name.startsWith(WHITEOUT_PREFIX)) hidden.push(this.#delete(index, path));
      else if (!this.#isHidden(path)) {
        this.#take(index, path, entry);
        if (entry.type !== "directory") hidden.push(path);
      }
    }
    // What a layer hides is only what lies below it.
    for (const path of hidden) this.#hidden.add(path);
  }

  #take(index: number, path: string, { type }: TarEntry): void {
    if (!this.#from.has(path)) {
      this.#from.set(path, index);
      if (type === "directory") this.#directories.add(path);
    }
    // A file that an upper layer made a directory again: what was there before it does not come back.
    else if (type !== "directory" && this.#directories.has(path)) this.#opaque.add(path);
  }

  has(index: number, path: string): boolean {
    return this.#from.get(path) === index;
  }

  isOpaque(path: string): boolean {
    return this.#opaque.has(path);
  }

  #makeOpaque(directory: string): string {
    if (!this.#isHidden(directory)) this.#opaque.add(directory);
    return directory;
  }

  /** A deleted path that an upper layer made anew as a directory hides what was there before; any other takes its place anyway. */
  #delete(index: number, whiteout: string): string {
    const path = posix.join(posix.dirname(whiteout), posix.basename(whiteout).slice(WHITEOUT_PREFIX.length));
    if (this.#isHidden(path)) return path;
    if (!this.#from.has(path)) this.#from.set(whiteout, index);
    else if (this.#directories.has(path)) this.#opaque.add(path);
    return path;
  }

  #isHidden(path: string): boolean {
    for (let at = path; at !== "." && at !== "/" && at !== ""; at = posix.dirname(at))
      if (this.#hidden.has(at)) return true;
    return false;
  }
}

function pathOf({ path }: TarEntry): string {
  return trimmed(path);
}

function trimmed(path: string): string {
  return path.replace(/^(?:\.?\/)+/, "").replace(/\/+$/, "");
}
