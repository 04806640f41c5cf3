import type { Digest } from "#spec/digest.ts";

/**
 * A snapshotter turns an image's layers and one writable directory into a mounted root filesystem.
 *
 * Vocabulary: a **layer** is an immutable file; its **layer mount** is the read-only mount of that file, made on first use,
 * shared and counted; a **snapshot** is the writable part of one container or build step, identified by `key` (a container id or
 * a build step id); its **root** is the overlay of the layer mounts and the snapshot's writable directory.
 *
 * Lifecycle: `prepare(key, layers)` → `mount(key)` → (use) → `unmount(key)` → `diff(key)`* → `remove(key)`.
 * Mounts do not survive a reboot, snapshots do: `mount` works again after one. `mount` of a mounted key returns the same root
 * (so an engine that starts finds the roots of running containers again).
 */
export interface Snapshotter {
  /** Short name for `info` ("erofs-overlay") and why it was chosen. */
  readonly name: string;
  readonly description: string;
  /** Makes the writable directory. Throws ConflictError if `key` exists. `layers` bottom first; may be empty (scratch). */
  prepare(key: string, layers: readonly SnapshotLayer[], options?: PrepareOptions): Promise<void>;
  /** Mounts the root read-write (or returns it if mounted): an absolute path. Throws NotFoundError for an unknown key. */
  mount(key: string): Promise<string>;
  /** The root for as long as something outside the container needs it, mounted by `mount` as well or not. Throws NotFoundError. */
  hold(key: string): Promise<RootView>;
  /** A read-only root of layers alone, for `COPY --from` and inspection; released by disposing it. */
  view(layers: readonly SnapshotLayer[]): Promise<RootView>;
  /** Unmounts the root and releases its layer mounts, when nothing holds it any more. Idempotent. */
  unmount(key: string): Promise<void>;
  /** The changes of the snapshot against its layers as a normalised tar (sorted, numeric owners, whiteouts as `.wh.`). */
  diff(key: string, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** `A`/`C`/`D` lines of `container diff`. */
  changes(key: string): Promise<readonly SnapshotChange[]>;
  /** Where a snapshot and its root lie; what is made at the first mount may not be there yet. Throws NotFoundError. */
  places(key: string): Promise<SnapshotPlaces>;
  /** What the writable directory costs on disk. */
  usage(key: string): Promise<SnapshotUsage>;
  /** Unmounts and removes the writable directory. Idempotent, and safe after a crash half-way. */
  remove(key: string): Promise<void>;
  /** All keys that exist, for start-up's sweep. */
  keys(): Promise<readonly string[]>;
  /**
   * Unmounts every layer mount that no root uses. Called at shut-down, by `system prune`, and after layer files were removed: a
   * mounted file keeps its disk space. Layers that nobody uses are unmounted after some seconds anyway. Waits for the deletion of
   * volatile snapshots too, so that the space is free when it returns.
   */
  releaseIdle(): Promise<void>;
}

export interface PrepareOptions {
  /**
   * For snapshots that are removed when their program ends (build steps, `run --rm`): nothing in them survives a power cut, and
   * they leave out all syncing, and their files may be deleted after `remove` has returned. Default false.
   */
  readonly volatile?: boolean;
}

export interface SnapshotLayer {
  readonly diffId: Digest;
  /** Absolute path of the layer file. */
  readonly path: string;
}

export interface RootView extends AsyncDisposable {
  readonly path: string;
}

/** Absolute paths, for who looks at a container from outside. */
export interface SnapshotPlaces {
  /** Mount points of the layers, top first. */
  readonly lowers: readonly string[];
  readonly upper: string;
  readonly work: string;
  readonly root: string;
}

export interface SnapshotChange {
  readonly kind: "added" | "modified" | "deleted";
  /** Absolute path inside the root. */
  readonly path: string;
}

export interface SnapshotUsage {
  /** Apparent bytes of regular files. */
  readonly size: number;
  /** Bytes on disk, as `du` counts. */
  readonly diskSize: number;
  readonly inodes: number;
}
