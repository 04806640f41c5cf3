import type { CacheMounts } from "#build/ops/run/cache-mounts.ts";
import { ConflictError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { ContainerTree } from "#files/container-tree.ts";
import { extractTar } from "#files/extract-tar.ts";
import { treeTar } from "#files/tree-tar.ts";
import type { Digest } from "#spec/digest.ts";
import type { CacheMountStore } from "#store/cache-mount-store.ts";
import { type CacheMountUsage, shortKey } from "./cache-entries.ts";

/** What an imported cache is to be: the same options in a Dockerfile find it. */
export interface ImportedCache {
  /** As the Dockerfile has it: `id=…`, or the target without one. */
  readonly id: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The caches of `RUN --mount=type=cache` as things that can be looked at, removed and moved to another machine. */
export class CacheMountService {
  readonly #mounts: CacheMounts;
  readonly #store: CacheMountStore;

  constructor(mounts: CacheMounts, store: CacheMountStore) {
    this.#mounts = mounts;
    this.#store = store;
  }

  /** The longest unused first. */
  list(): CacheMountUsage[] {
    return this.#store.list().map((record) => ({ ...record, inUse: this.#mounts.isInUse(record.key) }));
  }

  /**
   * Removes the caches that each reference means: all of an id, or the one of a key. Returns their keys and the bytes freed. Throws
   * NotFoundError, and ConflictError for one that a step uses; the ones before it are gone then.
   */
  async remove(references: readonly string[]): Promise<{ readonly keys: readonly Digest[]; readonly bytes: number }> {
    const found = references.flatMap((reference) => this.#find(reference));
    const keys: Digest[] = [];
    let bytes = 0;
    for (const { key, id, size } of found) {
      if (!(await this.#mounts.remove(key))) {
        throw new ConflictError(`cannot remove cache ${id}: a build step is using it`);
      }
      keys.push(key);
      bytes += size;
    }
    return { keys, bytes };
  }

  /** Removes those of these that no step uses. Returns the bytes freed. */
  async removeUnused(keys: readonly Digest[]): Promise<number> {
    const sizes = new Map(this.#store.list().map(({ key, size }) => [key, size]));
    let bytes = 0;
    for (const key of keys) if (await this.#mounts.remove(key)) bytes += sizes.get(key) ?? 0;
    return bytes;
  }

  /**
   * The files of one cache as a tar, names below its directory. It cannot be removed until the tar is read or its loop left. Throws
   * NotFoundError, InvalidParameterError when several caches have the id.
   */
  export(reference: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const [cache, ...others] = this.#find(reference);
    if (others.length > 0 || !cache) {
      throw new InvalidParameterError(
        `several caches have the id "${reference}": give one of the keys that cache-mount ls shows`,
      );
    }
    return this.#tar(cache.key, signal);
  }

  /** Makes or replaces a cache from a tar (plain or compressed). Throws ConflictError while a step uses it; the old one stays on any failure. */
  async import(cache: ImportedCache, tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Digest> {
    if (cache.id === "" || cache.id.includes("\0")) throw new InvalidParameterError("a cache needs an id");
    // Ids of Dockerfiles have the namespace of the build before them, which is empty unless BUILDKIT_CACHE_MOUNT_NS is set.
    const id = `/${cache.id}`;
    const target = cache.id.startsWith("/") ? cache.id : "";
    return await this.#mounts.replace({ ...cache, id, target }, "cache-mount import", (path) =>
      unpack(path, tar, signal),
    );
  }

  /** By the id with or without namespace, or by the beginning of a key. Throws NotFoundError. */
  #find(reference: string): readonly CacheMountUsage[] {
    const all = this.list();
    const byId = all.filter(({ id }) => id === reference || id === `/${reference}`);
    const isKey = /^(sha256:)?[0-9a-f]{6,64}$/.test(reference);
    const hex = reference.replace(/^sha256:/, "");
    const found =
      byId.length > 0 || !isKey ? byId : all.filter(({ key }) => shortKey(key).startsWith(hex.slice(0, 25)));
    if (found.length === 0) throw new NotFoundError(`no cache mount "${reference}": see berth builder cache-mount ls`);
    return found;
  }

  async *#tar(key: Digest, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    using _held = this.#mounts.hold(key);
    using tree = new ContainerTree(this.#mounts.pathOf(key), []);
    using place = tree.find("/");
    if (!place) throw new NotFoundError("the cache's directory is gone");
    yield* treeTar(tree, place, { name: undefined, signal });
  }
}

async function unpack(path: string, tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  using tree = new ContainerTree(path, []);
  using place = tree.find("/");
  if (!place) throw new NotFoundError("the cache's directory is gone");
  await extractTar(tree, place, tar, { noOverwriteDirNonDir: false, readonlyRoot: false, signal });
}
