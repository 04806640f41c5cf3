import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { ConflictError, InvalidParameterError } from "#errors/errors.ts";
import { digestHex, digestOf } from "#formats/digest.ts";
import { KeyLock } from "#lib/key-lock.ts";
import type { Digest } from "#spec/digest.ts";
import type { CacheMountStore } from "#store/cache-mount-store.ts";
import type { CacheStepMount } from "../../graph/graph-types.ts";

export interface CacheMountsOptions {
  /** Below the data root, mode 0700. Exists. */
  readonly directory: string;
  readonly store: CacheMountStore;
  /** Bytes on disk of a directory. */
  readonly measure: (path: string) => Promise<number>;
  /** Copies the content of a directory with owners, modes, links and attributes into an empty one. */
  readonly copyTree: (from: string, to: string) => Promise<void>;
}

/** What tells one cache from another. */
export interface IdentifiedCache {
  readonly mount: Pick<CacheStepMount, "id" | "source" | "mode" | "uid" | "gid" | "sharing">;
  /** What a new cache begins with. */
  readonly base?: { readonly content: Digest } | undefined;
}

export interface CacheMountRequest extends IdentifiedCache {
  readonly mount: CacheStepMount;
  readonly base?: { readonly path: string; readonly content: Digest } | undefined;
  /** The step, for whoever looks at the caches: `[2/3] RUN npm ci`. */
  readonly user: string;
  /** Whether to begin with an empty one: `--no-cache`. Asked once the mount is this step's. */
  readonly isFresh: (key: Digest) => boolean;
}

/** A directory for as long as a step runs. */
export interface OpenCacheMount extends AsyncDisposable {
  readonly path: string;
}

/**
 * The directories behind `RUN --mount=type=cache`. They are named by a digest, so no id reaches a path, and outlive builds until they are
 * pruned. `locked` waits for its turn ({@link lock}), `private` takes a directory of its own while another step has the first, `shared` shares.
 * One object per engine.
 */
export class CacheMounts {
  readonly #options: CacheMountsOptions;
  readonly #locks = new KeyLock();
  #swept: Promise<void> | undefined;
  /** Steps that have a directory mounted now, by its key. */
  readonly #users = new Map<Digest, number>();

  constructor(options: CacheMountsOptions) {
    this.#options = options;
  }

  /**
   * Waits until the `locked` ones among the caches of one step are its own; before they are opened. All steps lock in one order, so that no two wait for one
   * another, and a cache that a step mounts twice once. Throws the signal's reason on abort.
   */
  async lock(caches: readonly IdentifiedCache[], signal: AbortSignal): Promise<Disposable> {
    using stack = new DisposableStack();
    const identities = new Set(caches.filter(({ mount }) => mount.sharing === "locked").map(identityOf));
    for (const identity of [...identities].sort()) stack.use(await this.#locks.acquire(identity, signal));
    return stack.move();
  }

  /** Throws InvalidParameterError for a path in an empty cache. A `locked` one has to be locked. */
  async open(request: CacheMountRequest, signal: AbortSignal): Promise<OpenCacheMount> {
    await using stack = new AsyncDisposableStack();
    const { mount, base } = request;
    await this.#ready();
    if (mount.source !== "" && !base) {
      throw new InvalidParameterError(`cannot mount "/${mount.source}" of cache ${mount.id}: a new cache is empty`);
    }
    const identity = identityOf(request);
    const key = mount.sharing === "private" ? this.#unused(identity) : identity;
    const path = this.#path(key);
    stack.use(this.#use(key));
    {
      using _making = await this.#locks.acquire(`make ${key}`, signal);
      if (this.#users.get(key) === 1 && request.isFresh(key)) await this.#empty(key);
      if (!existsSync(path)) await this.#make(path, request);
      const now = Date.now();
      this.#options.store.touch({ key, id: mount.id, target: mount.target, lastUser: request.user, now });
    }
    const release = stack.move();
    return { path, [Symbol.asyncDispose]: () => this.#release(key, release) };
  }

  /** Whether a step has it mounted. */
  isInUse(key: Digest): boolean {
    return this.#users.has(key);
  }

  /** Whether a path is that of a cache. */
  holds(path: string): boolean {
    return path.startsWith(`${this.#options.directory}/`);
  }

  /** Where its files are; whoever reads them holds it by {@link hold}. */
  pathOf(key: Digest): string {
    return this.#path(key);
  }

  /** Keeps a cache from being removed until the result is disposed. */
  hold(key: Digest): Disposable {
    return this.#use(key);
  }

  /** Removes a cache that no step uses. False for one in use. */
  async remove(key: Digest): Promise<boolean> {
    if (this.isInUse(key)) return false;
    using _making = await this.#locks.acquire(`make ${key}`);
    if (this.isInUse(key)) return false;
    await this.#empty(key);
    this.#options.store.remove(key);
    return true;
  }

  /**
   * Makes or replaces a cache: `fill` writes its files into the directory it is given. Throws ConflictError while a step has the cache, what
   * `fill` throws; what was there stays then.
   */
  async replace(
    cache: Pick<CacheStepMount, "id" | "target" | "mode" | "uid" | "gid">,
    user: string,
    fill: (path: string) => Promise<void>,
  ): Promise<Digest> {
    const { id, target, mode, uid, gid } = cache;
    const key = identityOf({ mount: { ...cache, source: "", sharing: "shared" } });
    // Else the first build's sweep would take what is being filled here.
    await this.#ready();
    const temporary = join(this.#options.directory, `.new-${randomBytes(8).toString("hex")}`);
    try {
      await mkdir(temporary, { mode: 0o700 });
      await fill(temporary);
      await chown(temporary, uid, gid);
      await chmod(temporary, mode);
      const size = await this.#options.measure(temporary);
      using _making = await this.#locks.acquire(`make ${key}`);
      if (this.isInUse(key)) throw new ConflictError(`cannot replace cache ${id}: a build step is using it`);
      await this.#empty(key);
      await rename(temporary, this.#path(key));
      this.#options.store.touch({ key, id, target, lastUser: user, now: Date.now() });
      this.#options.store.setSize(key, size);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
    return key;
  }

  #path(key: Digest): string {
    return join(this.#options.directory, digestHex(key).slice(0, 32));
  }

  #unused(identity: Digest): Digest {
    let key = identity;
    for (let slot = 1; this.#users.has(key); slot++) key = digestOf(`${identity} ${slot}`);
    return key;
  }

  #use(key: Digest): Disposable {
    this.#users.set(key, (this.#users.get(key) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#users.get(key) ?? 1) - 1;
        if (left > 0) this.#users.set(key, left);
        else this.#users.delete(key);
      },
    };
  }

  #ready(): Promise<void> {
    this.#swept ??= this.#sweep();
    return this.#swept;
  }

  /** Before the first use: what a crash left half-made or half-deleted, and directories that no row knows, which nobody could prune. */
  async #sweep(): Promise<void> {
    const { directory, store } = this.#options;
    const known = new Set(store.list().map(({ key }) => this.#path(key)));
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      if (!known.has(path)) await rm(path, { recursive: true, force: true });
    }
  }

  async #make(path: string, { mount, base }: CacheMountRequest): Promise<void> {
    const temporary = join(this.#options.directory, `.new-${randomBytes(8).toString("hex")}`);
    try {
      await mkdir(temporary, { mode: 0o700 });
      if (base) await this.#options.copyTree(base.path, temporary);
      await chown(temporary, mount.uid, mount.gid);
      await chmod(temporary, mount.mode);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  }

  /** Renamed before it is deleted: whoever comes next finds none, not half of one. */
  async #empty(key: Digest): Promise<void> {
    const path = this.#path(key);
    if (!existsSync(path)) return;
    const doomed = join(this.#options.directory, `.old-${randomBytes(8).toString("hex")}`);
    await rename(path, doomed);
    await rm(doomed, { recursive: true, force: true });
  }

  async #release(key: Digest, stack: AsyncDisposableStack): Promise<void> {
    await using _held = stack;
    const size = await this.#options.measure(this.#path(key));
    this.#options.store.setSize(key, size);
  }
}

/** As in BuildKit, what a cache begins with is part of what it is: other owner, mode or base, other cache. */
function identityOf({ mount, base }: IdentifiedCache): Digest {
  const { id, source, mode, uid, gid } = mount;
  return digestOf(JSON.stringify(["cache mount", id, base?.content ?? null, base ? source : "", mode, uid, gid]));
}
