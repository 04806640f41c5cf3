import { mkdirSync, rmdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { NotFoundError } from "#errors/errors.ts";
import { KeyLock } from "#lib/key-lock.ts";
import { diskUsage } from "#sys/disk-usage.ts";
import { unmount } from "#sys/mounts/mount.ts";
import { mountsBelow } from "#sys/mounts/mount-info.ts";
import { LayerMounts } from "./layer-mounts.ts";
import { layerChanges, shownChanges } from "./mount-stubs.ts";
import { mountOverlay, mountReadOnlyOverlay } from "./overlay-mount.ts";
import { snapshotChanges } from "./snapshot-changes.ts";
import { SnapshotDirectory, type SnapshotRecord } from "./snapshot-directory.ts";
import { snapshotTar } from "./snapshot-tar.ts";
import type {
  PrepareOptions,
  RootView,
  SnapshotChange,
  SnapshotLayer,
  SnapshotPlaces,
  Snapshotter,
  SnapshotUsage,
} from "./snapshotter.ts";
import { walkUpper } from "./upper-walk.ts";

export interface OverlaySnapshotterOptions {
  /** Where snapshots lie; on a file system that can be an overlay's upper directory. Below the data root. */
  readonly stateDirectory: string;
  /** Where everything is mounted; with a short path, as mountinfo repeats it. Below the exec root. */
  readonly mountDirectory: string;
}

/**
 * Layer files mounted as they are, stacked by overlayfs over one writable directory per snapshot. Below the mount directory:
 *
 *     l/<diffID>  layers      r/<key>  roots of snapshots      v/<n>  views      e/  an empty directory
 *
 * Mounts outlive the engine, as containers do. The first call finds those of an engine before.
 */
export class OverlaySnapshotter implements Snapshotter {
  readonly name = "erofs-overlay";
  readonly description =
    "layer files mounted as EROFS and stacked by overlayfs, changes in one directory per container";

  readonly #snapshots: SnapshotDirectory;
  readonly #layers: LayerMounts;
  readonly #places: { readonly layers: string; readonly roots: string; readonly views: string; readonly empty: string };
  readonly #locks: KeyLock = new KeyLock();
  /** What each mounted root stands on, by its snapshot's key. */
  readonly #roots = new Map<string, readonly SnapshotLayer[]>();
  /** Roots that `mount` was asked for and `unmount` was not. */
  readonly #wanted = new Set<string>();
  /** How many hold a root besides. */
  readonly #holds = new Map<string, number>();
  #views = 0;
  #ready: Promise<void> | undefined;

  constructor({ stateDirectory, mountDirectory }: OverlaySnapshotterOptions) {
    this.#places = {
      layers: join(mountDirectory, "l"),
      roots: join(mountDirectory, "r"),
      views: join(mountDirectory, "v"),
      empty: join(mountDirectory, "e"),
    };
    this.#snapshots = new SnapshotDirectory(stateDirectory);
    this.#layers = new LayerMounts(this.#places.layers);
  }

  async prepare(key: string, layers: readonly SnapshotLayer[], options: PrepareOptions = {}): Promise<void> {
    await this.#start();
    await this.#snapshots.create(key, { layers, volatile: options.volatile ?? false });
  }

  async mount(key: string): Promise<string> {
    await this.#start();
    return await this.#locks.run(key, async () => {
      const root = await this.#mountLocked(key);
      this.#wanted.add(key);
      return root;
    });
  }

  async hold(key: string): Promise<RootView> {
    await this.#start();
    const path = await this.#locks.run(key, async () => {
      const root = await this.#mountLocked(key);
      this.#holds.set(key, (this.#holds.get(key) ?? 0) + 1);
      return root;
    });
    let disposed = false;
    const dispose = async (): Promise<void> => {
      if (disposed) return;
      disposed = true;
      await this.#locks.run(key, () => this.#release(key));
    };
    return { path, [Symbol.asyncDispose]: dispose };
  }

  async view(layers: readonly SnapshotLayer[]): Promise<RootView> {
    await this.#start();
    if (layers.length === 0) return { path: this.#places.empty, [Symbol.asyncDispose]: async () => undefined };
    const path = join(this.#places.views, String(this.#views++));
    await this.#mountOn(layers, path, (lowers) => mountReadOnlyOverlay(lowers, this.#places.empty, path));
    let disposed = false;
    const dispose = async (): Promise<void> => {
      if (disposed) return;
      disposed = true;
      await this.#unmountFrom(layers, path);
    };
    return { path, [Symbol.asyncDispose]: dispose };
  }

  async unmount(key: string): Promise<void> {
    await this.#start();
    await this.#locks.run(key, async () => {
      this.#wanted.delete(key);
      if (!this.#holds.has(key)) await this.#unmountLocked(key);
    });
  }

  async *diff(key: string, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    await this.#start();
    await using below = await this.#layersOf(key);
    yield* snapshotTar(layerChanges(walkUpper(this.#snapshots.upper(key), below.path)), signal);
  }

  async changes(key: string): Promise<readonly SnapshotChange[]> {
    await this.#start();
    await using below = await this.#layersOf(key);
    return await snapshotChanges(shownChanges(walkUpper(this.#snapshots.upper(key), below.path)));
  }

  async places(key: string): Promise<SnapshotPlaces> {
    const { layers } = await this.#record(key);
    return {
      lowers: this.#layers.mountPoints(layers).toReversed(),
      upper: this.#snapshots.upper(key),
      work: this.#snapshots.work(key),
      root: this.#rootOf(key),
    };
  }

  async usage(key: string): Promise<SnapshotUsage> {
    await this.#start();
    await this.#record(key);
    const { apparentBytes, allocatedBytes, inodes } = await diskUsage(this.#snapshots.upper(key));
    return { size: apparentBytes, diskSize: allocatedBytes, inodes };
  }

  async remove(key: string): Promise<void> {
    await this.#start();
    await this.#locks.run(key, async () => {
      this.#wanted.delete(key);
      await this.#unmountLocked(key);
      await this.#snapshots.remove(key);
    });
  }

  async keys(): Promise<readonly string[]> {
    await this.#start();
    return await this.#snapshots.keys();
  }

  async releaseIdle(): Promise<void> {
    await this.#start();
    await Promise.all([this.#layers.releaseIdle(), this.#snapshots.settled()]);
  }

  async #record(key: string): Promise<SnapshotRecord> {
    const record = await this.#snapshots.read(key);
    if (!record) throw new NotFoundError(`no such snapshot: ${key}`);
    return record;
  }

  /** The root that a snapshot would have without its changes. */
  async #layersOf(key: string): Promise<RootView> {
    return await this.view((await this.#record(key)).layers);
  }

  async #mountLocked(key: string): Promise<string> {
    const root = this.#rootOf(key);
    if (this.#roots.has(key)) return root;
    const record = await this.#record(key);
    const { upper, work } = await this.#snapshots.writableDirectories(key, record);
    await this.#mountOn(record.layers, root, (lowers) =>
      mountOverlay(lowers.length === 0 ? [this.#places.empty] : lowers, root, {
        upper,
        work,
        volatile: record.volatile,
      }),
    );
    this.#roots.set(key, record.layers);
    return root;
  }

  async #release(key: string): Promise<void> {
    const holds = (this.#holds.get(key) ?? 1) - 1;
    if (holds > 0) {
      this.#holds.set(key, holds);
      return;
    }
    this.#holds.delete(key);
    if (!this.#wanted.has(key)) await this.#unmountLocked(key);
  }

  async #unmountLocked(key: string): Promise<void> {
    const layers = this.#roots.get(key);
    if (!layers) return;
    await this.#unmountFrom(layers, this.#rootOf(key));
    this.#roots.delete(key);
  }

  async #mountOn(
    layers: readonly SnapshotLayer[],
    target: string,
    mountAll: (lowers: readonly string[]) => void,
  ): Promise<void> {
    const lowers = await this.#layers.acquire(layers);
    try {
      mkdirSync(target, { recursive: true, mode: 0o700 });
      mountAll(lowers);
    } catch (error) {
      this.#layers.release(layers);
      throw error;
    }
  }

  async #unmountFrom(layers: readonly SnapshotLayer[], target: string): Promise<void> {
    await takeAway(target);
    this.#layers.release(layers);
  }

  #rootOf(key: string): string {
    return join(this.#places.roots, key);
  }

  #start(): Promise<void> {
    this.#ready ??= this.#recover();
    return this.#ready;
  }

  /** Finds what an earlier engine left: keeps the roots of snapshots and their layers, drops views and half-made directories. */
  async #recover(): Promise<void> {
    for (const place of Object.values(this.#places)) mkdirSync(place, { recursive: true, mode: 0o700 });
    await this.#snapshots.sweep();
    const mounts = mountsBelow(dirname(this.#places.layers)).map(({ mountPoint }) => mountPoint);
    for (const path of mounts.filter((mount) => dirname(mount) === this.#places.views)) {
      await takeAway(path);
    }
    for (const path of mounts.filter((mount) => dirname(mount) === this.#places.layers))
      this.#layers.adopt(basename(path));
    for (const path of mounts.filter((mount) => dirname(mount) === this.#places.roots)) await this.#adoptRoot(path);
  }

  async #adoptRoot(path: string): Promise<void> {
    const key = basename(path);
    // A damaged record is for the call that needs it to report; the root in use stays mounted.
    const record = await this.#snapshots.read(key).catch(() => ({ layers: [] }));
    if (!record) {
      await takeAway(path);
      return;
    }
    this.#layers.adoptUsers(record.layers);
    this.#roots.set(key, record.layers);
  }
}

/** Unmounts a root, busy or not, and removes its mount point. */
async function takeAway(path: string): Promise<void> {
  await unmount(path);
  rmdirSync(path);
}
