import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, NotFoundError } from "#errors/errors.ts";
import { KeyLock } from "#lib/key-lock.ts";
import { diskUsage } from "#sys/disk-usage.ts";
import { syncDirectory } from "#sys/durable-file.ts";
import { unmount } from "#sys/mounts/mount.ts";
import { mountsBelow } from "#sys/mounts/mount-info.ts";
import { copyUp, copyUpPart } from "./copy-up.ts";
import { checkDriverOptions, mountVolume, needsMount } from "./driver-options.ts";
import { checkVolumeName } from "./volume-name.ts";
import type { Volume, VolumeOptions, VolumeStore } from "./volume-store.ts";

/** Where the volumes' records are kept durably: the database's `volumes` table. */
export interface VolumeRecords {
  load(): readonly Volume[];
  save(volume: Volume): void;
  delete(name: string): void;
}

export interface LocalVolumeStoreOptions {
  /** Absolute path; made when missing. */
  readonly directory: string;
  readonly rows: VolumeRecords;
}

/** Volumes that are being removed are renamed to this, so that a crash leaves no half-empty volume. */
const REMOVED_PREFIX = ".removed-";
const COPY_MARKER = ".copying";
const DATA = "_data";

/** Volumes as directories `NAME/_data` below one directory, as Docker lays them out. */
export class LocalVolumeStore implements VolumeStore {
  readonly #directory: string;
  readonly #rows: VolumeRecords;
  readonly #volumes: Map<string, Volume>;
  readonly #locks = new KeyLock();
  /** Who uses a volume now, by its name. */
  readonly #users = new Map<string, Set<string>>();

  constructor(options: LocalVolumeStoreOptions) {
    this.#directory = options.directory;
    this.#rows = options.rows;
    this.#volumes = new Map(options.rows.load().map((volume) => [volume.name, volume]));
  }

  /** An empty `name` asks for a random one of 64 hex digits. */
  async create(name: string, options: VolumeOptions = {}): Promise<Volume> {
    if (name !== "") checkVolumeName(name);
    checkDriverOptions(name, options.driverOpts ?? {});
    const finalName = name || randomBytes(32).toString("hex");
    return this.#locks.run(finalName, () => this.#create(finalName, options));
  }

  get(name: string): Volume | undefined {
    return this.#volumes.get(name);
  }

  settle(names: readonly string[]): void {
    for (const name of names) {
      const { madeFor: _, ...settled } = this.#known(name);
      this.#rows.save(settled);
      this.#volumes.set(name, settled);
    }
  }

  list(): readonly Volume[] {
    return [...this.#volumes.values()];
  }

  use(name: string, user: string): Promise<string> {
    return this.#locks.run(name, async () => {
      const volume = this.#known(name);
      const { mountpoint, driverOpts } = volume;
      if (needsMount(driverOpts) && !isMounted(volume)) await mountVolume(mountpoint, driverOpts);
      this.adopt(name, user);
      return mountpoint;
    });
  }

  adopt(name: string, user: string): void {
    this.#users.set(name, (this.#users.get(name) ?? new Set()).add(user));
  }

  release(name: string, user: string): Promise<boolean> {
    return this.#locks.run(name, async () => {
      const users = this.#users.get(name);
      if (!users?.delete(user)) return false;
      if (users.size === 0) {
        this.#users.delete(name);
        const volume = this.#volumes.get(name);
        if (volume) await unmountIfOwn(volume);
      }
      return true;
    });
  }

  async releaseUnused(): Promise<void> {
    for (const volume of this.list()) if (!this.#users.has(volume.name)) await unmountIfOwn(volume);
  }

  remove(name: string): Promise<void> {
    return this.#locks.run(name, async () => {
      // What is mounted there is not the volume's to delete.
      await unmountIfOwn(this.#known(name));
      this.#users.delete(name);
      const trash = join(this.#directory, `${REMOVED_PREFIX}${randomBytes(8).toString("hex")}`);
      try {
        await rename(join(this.#directory, name), trash);
        await syncDirectory(this.#directory);
      } catch (error) {
        if (errorCode(error) !== "ENOENT") throw error;
      }
      this.#forget(name);
      await rm(trash, { recursive: true, force: true });
    });
  }

  copyUp(name: string, rootfs: string, imagePath: string): Promise<void> {
    const { mountpoint } = this.#known(name);
    return this.#locks.run(name, () => copyUp(mountpoint, this.#marker(name), rootfs, imagePath));
  }

  copyUpPart(name: string, part: string, rootfs: string, imagePath: string): Promise<void> {
    return this.#locks.run(name, () => copyUpPart(part, rootfs, imagePath));
  }

  async isUnfilled(name: string): Promise<boolean> {
    const { mountpoint, driverOpts } = this.#known(name);
    // What will be mounted there can only be looked at when it is.
    return needsMount(driverOpts) || existsSync(this.#marker(name)) || (await readdir(mountpoint)).length === 0;
  }

  async usage(volume: Volume): Promise<number> {
    return (await diskUsage(volume.mountpoint)).allocatedBytes;
  }

  /** Removes what a crash in the middle of `remove` or `create` left. Data that no record names stays. Call once at start-up. */
  async sweep(): Promise<void> {
    const names = await readdir(this.#directory).catch(() => []);
    const removed = names.filter((name) => name.startsWith(REMOVED_PREFIX));
    // Out of sight goes first, then the row: one that has a row and no directory was on its way out.
    if (removed.length > 0) {
      const there = new Set(names);
      for (const name of [...this.#volumes.keys()]) if (!there.has(name)) this.#forget(name);
    }
    for (const name of removed) await rm(join(this.#directory, name), { recursive: true, force: true });
    for (const name of names)
      if (!removed.includes(name) && !this.#volumes.has(name)) await removeEmpty(join(this.#directory, name));
  }

  #forget(name: string): void {
    this.#rows.delete(name);
    this.#volumes.delete(name);
  }

  #marker(name: string): string {
    return join(this.#directory, name, COPY_MARKER);
  }

  #known(name: string): Volume {
    const volume = this.#volumes.get(name);
    if (!volume) throw new NotFoundError(`get ${name}: no such volume`);
    return volume;
  }

  async #create(name: string, options: VolumeOptions): Promise<Volume> {
    const mountpoint = join(this.#directory, name, DATA);
    const existing = this.#volumes.get(name);
    await mkdir(mountpoint, { recursive: true });
    if (existing) return existing;
    // Docker's modes, whatever the engine's umask: a container's user reaches the data, the host's users cannot list the volume.
    await chmod(join(this.#directory, name), 0o701);
    await chmod(mountpoint, 0o755);
    await syncDirectory(join(this.#directory, name));
    await syncDirectory(this.#directory);
    const volume: Volume = {
      name,
      driver: "local",
      mountpoint,
      labels: options.labels ?? {},
      driverOpts: options.driverOpts ?? {},
      anonymous: options.anonymous ?? false,
      created: Date.now(),
      ...(options.madeFor ? { madeFor: options.madeFor } : {}),
    };
    this.#rows.save(volume);
    this.#volumes.set(name, volume);
    return volume;
  }
}

/** Removes a volume's directory with nothing in it; any other stays as it is. */
async function removeEmpty(path: string): Promise<void> {
  for (const directory of [join(path, DATA), path]) {
    await rmdir(directory).catch((error: unknown) => {
      if (!["ENOENT", "ENOTEMPTY", "ENOTDIR"].includes(errorCode(error) ?? "")) throw error;
    });
  }
}

function isMounted({ mountpoint }: Volume): boolean {
  return mountsBelow(mountpoint).some((mount) => mount.mountPoint === mountpoint);
}

async function unmountIfOwn(volume: Volume): Promise<void> {
  if (needsMount(volume.driverOpts)) while (isMounted(volume)) await unmount(volume.mountpoint);
}
