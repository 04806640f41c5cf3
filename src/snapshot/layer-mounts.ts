import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { digestHex } from "#formats/digest.ts";
import { TimeSlice } from "#lib/time-slice.ts";
import type { Digest } from "#spec/digest.ts";
import { mountFileSystem, unmount } from "#sys/mounts/mount.ts";
import type { SnapshotLayer } from "./snapshotter.ts";

/**
 * Hex digits of a diffID that name its mount point: short, because a root's mountinfo line holds one per layer, but too many for
 * anyone to make two layers that share them (a collision takes 2^64 tries).
 */
const NAME_DIGITS = 32;

/** How long a layer stays mounted without a user, milliseconds: containers often start one after the other. */
const IDLE_MS = 3000;

/**
 * The read-only mounts of layer files: one per layer however many roots use it, so that all share its page cache. A layer is
 * mounted when first used and unmounted soon after its last use; an unlinked layer file costs disk space as long as it is mounted.
 */
export class LayerMounts {
  readonly #directory: string;
  /** Users of each mounted layer, by the name of its mount point. */
  readonly #users = new Map<string, number>();
  #idleTimer: NodeJS.Timeout | undefined;

  /** Mount points lie in `directory`, which exists. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Mounts layers, or counts one more user of them. Returns their mount points in the same order. */
  async acquire(layers: readonly SnapshotLayer[]): Promise<readonly string[]> {
    const slice = new TimeSlice();
    const acquired: SnapshotLayer[] = [];
    try {
      for (const layer of layers) {
        if (slice.isOver()) await slice.next();
        this.#acquireOne(layer);
        acquired.push(layer);
      }
    } catch (error) {
      this.release(acquired);
      throw error;
    }
    return this.mountPoints(layers);
  }

  /** Where layers are mounted, or would be. */
  mountPoints(layers: readonly SnapshotLayer[]): readonly string[] {
    return layers.map(({ diffId }) => this.#mountPoint(nameOf(diffId)));
  }

  /** Gives layers back, once for each time that they were acquired. */
  release(layers: readonly SnapshotLayer[]): void {
    for (const { diffId } of layers) {
      const name = nameOf(diffId);
      const users = this.#users.get(name);
      if (users !== undefined) this.#users.set(name, Math.max(0, users - 1));
    }
    this.#idleTimer ??= this.#startIdleTimer();
  }

  /** Takes over a mount that an earlier engine made; it has no users until {@link adoptUsers}. */
  adopt(name: string): void {
    if (!this.#users.has(name)) this.#users.set(name, 0);
    this.#idleTimer ??= this.#startIdleTimer();
  }

  /** Counts the layers of a root that an earlier engine mounted. A layer that is not mounted any more is kept by that root alone. */
  adoptUsers(layers: readonly SnapshotLayer[]): void {
    for (const { diffId } of layers) {
      const users = this.#users.get(nameOf(diffId));
      if (users !== undefined) this.#users.set(nameOf(diffId), users + 1);
    }
  }

  /** Unmounts all layers without users. */
  async releaseIdle(): Promise<void> {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    const idle = [...this.#users].filter(([, users]) => users === 0);
    await Promise.all(idle.map(([name]) => this.#unmount(name)));
  }

  /** Without an await between look-up and mount, so that two roots cannot mount one layer twice. */
  #acquireOne({ diffId, path }: SnapshotLayer): void {
    const name = nameOf(diffId);
    const users = this.#users.get(name);
    if (users === undefined) {
      const target = this.#mountPoint(name);
      mkdirSync(target, { recursive: true, mode: 0o700 });
      // An overlay carries none of these over to what it shows: setuid programs and executables work there.
      mountFileSystem("erofs", path, target, [], ["readOnly", "noDevices", "noSetUid", "noExecute"]);
    }
    this.#users.set(name, (users ?? 0) + 1);
  }

  async #unmount(name: string): Promise<void> {
    // Forgotten first: who needs it while its end is awaited mounts it anew.
    this.#users.delete(name);
    await unmount(this.#mountPoint(name));
    if (this.#users.has(name)) return;
    try {
      rmdirSync(this.#mountPoint(name));
    } catch {
      // An empty directory more or less on the exec root's tmpfs harms nobody.
    }
  }

  #startIdleTimer(): NodeJS.Timeout {
    // An error here has no caller to go to, and the next release tries again.
    const timer = setTimeout(() => void this.releaseIdle().catch(() => undefined), IDLE_MS);
    return timer.unref();
  }

  #mountPoint(name: string): string {
    return join(this.#directory, name);
  }
}

function nameOf(diffId: Digest): string {
  return digestHex(diffId).slice(0, NAME_DIGITS);
}
