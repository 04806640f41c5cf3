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
 * deletions of what lies below are. Throws NotImplementedError for a hard link to a file that an upper layer replaced, and for sparse files.
 */
export async function* mergeLayers(layers: readonly LayerTar[]): AsyncGenerator<Uint8Array, void, void> {
  const plan = new MergePlan();
  for (const [index, layer] of [...layers.entries()].reverse()) plan.add(index, await headersOf(layer));
  for (const [index, layer] of layers.entries()) yield* chosen(index, layer, plan);
  yield TAR_END;
}

async function headersOf(layer: LayerTar): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [];
  for await (const { entry } of readTar(layer())) entries.push(entry);
  return entries;
}

async function* chosen(index: number, layer: LayerTar, plan: MergePlan): AsyncGenerator<Uint8Array, void, void> {
  for await (const { entry, body } of readTar(layer())) {
    const path = pathOf(entry);
    if (!plan.has(index, path)) continue;
    if (entry.sparse) throw new NotImplementedError(`--squash: "${tarText(path)}" is a sparse file`);
    if (entry.type === "hardlink" && !plan.has(index, trimmed(entry.linkPath))) {
      throw new NotImplementedError(
        `--squash: "${tarText(path)}" is a hard link to "${tarText(entry.linkPath)}", which a later step replaced`,
      );
    }
    yield tarHeader(entry);
    if (entry.size > 0) {
      yield* body;
      yield tarPadding(entry.size);
    }
    if (plan.isOpaque(path)) {
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
      else if (!this.#from.has(path) && !this.#isHidden(path)) {
        this.#from.set(path, index);
        if (entry.type === "directory") this.#directories.add(path);
        else hidden.push(path);
      }
    }
    // What a layer hides is only what lies below it.
    for (const path of hidden) this.#hidden.add(path);
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
