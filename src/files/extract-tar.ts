import { posix } from "node:path";
import { CancelledError, InvalidParameterError, SystemError } from "#errors/errors.ts";
import { type TarEntry, tarText } from "#formats/tar/tar-entry.ts";
import { readTar } from "#formats/tar/tar-reader.ts";
import { inflate } from "#sys/compression/inflate.ts";
import type { ContainerTree, Place } from "./container-tree.ts";
import { linkInto, makeDirectory, makeNodeIn, makeSymlink, setTimes, writeFileIn } from "./make-file.ts";
import { ParentDirectories } from "./parent-directories.ts";
import { removeTree } from "./remove-tree.ts";
import { checkWritable } from "./writable.ts";

export interface ExtractOptions {
  /** A directory never replaces another kind of file, nor the other way round. */
  readonly noOverwriteDirNonDir: boolean;
  /** Whose everything becomes; what the archive says by default. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** The container's own root filesystem takes no writes. */
  readonly readonlyRoot: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Unpacks an archive (plain, gzip, bzip2, xz or zstd) into a directory of a container, over what is there, as Docker does: names with ".." out of it
 * are refused, absolute ones count from it, links in it are followed inside the container.
 *
 * It is decompressed before anything is opened, and each entry is made by its single name in a directory that is held open: what the container swaps
 * meanwhile changes at most where inside itself something lands. Throws InvalidParameterError for what Docker refuses, DataLossError for a
 * damaged archive, CancelledError on abort. What was unpacked by then stays, as in Docker.
 */
export async function extractTar(
  tree: ContainerTree,
  directory: Place,
  archive: AsyncIterable<Uint8Array>,
  options: ExtractOptions,
): Promise<void> {
  const { signal } = options;
  const extraction = new Extraction(tree, directory, options);
  using _ = extraction;
  for await (const { entry, body } of readTar(inflate(archive, signal ? { signal } : {}))) {
    if (signal?.aborted) throw new CancelledError("cancelled: unpacking an archive into a container");
    await extraction.add(entry, body);
  }
  extraction.finish();
}

class Extraction implements Disposable {
  readonly #tree: ContainerTree;
  readonly #base: Place;
  readonly #options: ExtractOptions;
  readonly #parents: ParentDirectories;
  /** Directories get their times last: what is made in them changes those. */
  readonly #times: { readonly path: string; readonly entry: TarEntry }[] = [];

  constructor(tree: ContainerTree, base: Place, options: ExtractOptions) {
    this.#tree = tree;
    this.#base = base;
    this.#options = options;
    this.#parents = new ParentDirectories(tree, options.readonlyRoot);
    checkWritable(base, options.readonlyRoot);
  }

  async add(entry: TarEntry, body: AsyncIterable<Uint8Array>): Promise<void> {
    const relative = this.#inside(entry.path, (name) => `"${name}" is outside of "${tarText(this.#base.path)}"`);
    if (relative === "") {
      if (entry.type === "directory") return;
      throw new InvalidParameterError(
        `cannot overwrite directory "${tarText(this.#base.path)}" with non-directory "${tarText(entry.path)}"`,
      );
    }
    const path = posix.join(this.#base.path, relative);
    const parent = this.#parents.open(posix.dirname(path));
    const name = posix.basename(path);
    const merges = this.#makeRoom(parent, name, entry);
    await this.#make(parent, name, entry, body, merges);
    if (entry.type === "directory") this.#times.push({ path, entry });
  }

  finish(): void {
    for (const { path, entry } of this.#times.reverse()) {
      using place = this.#tree.findItself(path);
      if (place?.stats.isDirectory()) setTimes(place.descriptor, entry);
    }
  }

  [Symbol.dispose](): void {
    this.#parents[Symbol.dispose]();
  }

  /** A name of the archive as a path below the directory; "" is the directory itself. */
  #inside(name: string, problem: (name: string) => string): string {
    const clean = posix.normalize(name).replace(/^\/+/, "").replace(/\/+$/, "");
    if (clean === ".." || clean.startsWith("../")) throw new InvalidParameterError(problem(tarText(name)));
    return clean === "." ? "" : clean;
  }

  /** Takes away what is in the way. True: a directory that the entry, one too, is merged with. */
  #makeRoom(parent: Place, name: string, entry: TarEntry): boolean {
    using existing = this.#tree.child(parent, name);
    if (!existing) return false;
    const path = tarText(existing.path);
    const [isDirectory, becomesDirectory] = [existing.stats.isDirectory(), entry.type === "directory"];
    if (this.#options.noOverwriteDirNonDir && isDirectory !== becomesDirectory) {
      const [old, fresh] = isDirectory ? ["directory", "non-directory"] : ["non-directory", "directory"];
      throw new InvalidParameterError(`cannot overwrite ${old} "${path}" with ${fresh} "${tarText(this.#base.path)}"`);
    }
    if (isDirectory && becomesDirectory) {
      checkWritable(existing, this.#options.readonlyRoot);
      return true;
    }
    if (existing.mount !== parent.mount) throw new SystemError(`unlinkat ${path}: device or resource busy`);
    removeTree(this.#tree, parent, name);
    return false;
  }

  async #make(
    parent: Place,
    name: string,
    entry: TarEntry,
    body: AsyncIterable<Uint8Array>,
    merges: boolean,
  ): Promise<void> {
    const owned = { ...entry, ...this.#options.owner };
    switch (entry.type) {
      case "directory": {
        using existing = merges ? this.#tree.child(parent, name) : undefined;
        makeDirectory(parent, name, owned, existing);
        return;
      }
      case "file":
        return writeFileIn(parent, name, owned, body);
      case "symlink":
        return makeSymlink(parent, name, owned);
      case "hardlink":
        return this.#link(parent, name, entry);
      default:
        return makeNodeIn(parent, name, entry.type, owned);
    }
  }

  #link(parent: Place, name: string, entry: TarEntry): void {
    const target = this.#inside(entry.linkPath, (link) => `invalid hardlink "${tarText(entry.path)}" -> "${link}"`);
    const path = posix.join(this.#base.path, target);
    using directory = this.#tree.find(posix.dirname(path));
    if (!directory) throw new SystemError(`link ${tarText(path)}: no such file or directory`);
    linkInto(directory, posix.basename(path), parent, name);
  }
}
