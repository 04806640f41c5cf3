import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import type { ContainerContext } from "#engine/containers/container-context.ts";
import type { ContainerMount, ContainerRecord } from "#engine/containers/container-record.ts";
import { errorMessage, InvalidParameterError, SystemError } from "#errors/errors.ts";

/** The host paths of a container's mounts, valid until they are disposed. Volumes stay in use until `releaseVolumes`. */
export interface UsedMounts extends AsyncDisposable {
  /** By destination; a tmpfs has none. */
  readonly sources: ReadonlyMap<string, string>;
}

export interface UseOptions {
  /** Who uses the volumes: the container, or a copy of its files. */
  readonly user: string;
  /** The container starts: events tell of its volumes. */
  readonly starts: boolean;
}

/**
 * Makes ready what is mounted into a container: volumes are mounted where their options say so, images are, subpaths are opened. Throws SystemError and
 * InvalidParameterError in Docker's words; what was made ready by then is given back, but for volumes.
 */
export async function useMounts(
  context: ContainerContext,
  record: ContainerRecord,
  options: UseOptions,
): Promise<UsedMounts> {
  const sources = new Map<string, string>();
  const held = new AsyncDisposableStack();
  try {
    for (const mount of record.mounts) {
      const directory = await directoryOf(context, record, mount, options, held);
      if (directory === "") continue;
      const source = mount.subpath ? held.use(context.subpaths.open(directory, mount.subpath)).path : directory;
      sources.set(mount.destination, source);
    }
  } catch (error) {
    await held.disposeAsync();
    throw error;
  }
  return { sources, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

async function directoryOf(
  context: ContainerContext,
  record: ContainerRecord,
  mount: ContainerMount,
  options: UseOptions,
  held: AsyncDisposableStack,
): Promise<string> {
  switch (mount.type) {
    case "tmpfs":
      return "";
    case "bind":
      if (options.starts) await checkBindSource(mount);
      return mount.source;
    case "image": {
      if (!mount.imageId) throw new InvalidParameterError(`cannot mount image "${mount.source}": no such image`);
      // The container's own mount keeps the layers alive from then on.
      return held.use(await context.snapshotter.view(context.images.layers(mount.imageId))).path;
    }
    case "volume":
      return await useVolume(context, record, mount, options);
  }
}

/** Makes a host directory for a bind unless something is there. Throws SystemError in Docker's words. */
export async function makeBindSource(source: string): Promise<void> {
  if (existsSync(source)) return;
  try {
    await mkdir(source, { recursive: true, mode: 0o755 });
  } catch (cause) {
    const reason = errorMessage(cause).replace(/^[A-Z]+: ([^,]*),.*$/, "$1");
    throw new SystemError(`error while creating mount source path '${source}': mkdir ${source}: ${reason}`, { cause });
  }
}

/** The source may have gone since the container was made. */
async function checkBindSource({ source, makesSource }: ContainerMount): Promise<void> {
  if (makesSource) await makeBindSource(source);
  else if (!existsSync(source)) {
    throw new InvalidParameterError(`invalid mount config for type "bind": bind source path does not exist: ${source}`);
  }
}

async function useVolume(
  context: ContainerContext,
  record: ContainerRecord,
  mount: ContainerMount,
  { user, starts }: UseOptions,
): Promise<string> {
  const volume = context.volumes.get(mount.name);
  if (!volume) throw new InvalidParameterError(`cannot mount volume "${mount.name}": no such volume`);
  let directory: string;
  try {
    directory = await context.volumes.use(mount.name, user);
  } catch (cause) {
    throw new SystemError(`error while mounting volume '${volume.mountpoint}': ${errorMessage(cause)}`, { cause });
  }
  if (!starts) return directory;
  context.events.publish("volume", "mount", mount.name, {
    driver: volume.driver,
    container: record.id,
    destination: mount.destination,
    "read/write": String(!mount.readonly),
    propagation: mount.propagation,
  });
  return directory;
}

/**
 * Fills a new container's empty volumes with what its image has at their place: once, when it is made, as Docker. What its user empties later stays empty, and
 * another container may have the volumes before it starts.
 */
export async function fillVolumes(context: ContainerContext, record: ContainerRecord): Promise<void> {
  const empty: ContainerMount[] = [];
  for (const mount of record.mounts) {
    if (mount.type !== "volume" || !mount.copyUp) continue;
    // Only the part itself can tell whether it is empty.
    if (mount.subpath || (await context.volumes.isUnfilled(mount.name))) empty.push(mount);
  }
  if (empty.length === 0) return;
  await using root = await context.snapshotter.hold(record.id);
  const user = `${record.id}:fill`;
  for (const mount of empty) {
    try {
      const directory = await useVolume(context, record, mount, { user, starts: false });
      if (mount.subpath) await fillPart(context, mount, directory, root.path);
      else await context.volumes.copyUp(mount.name, root.path, mount.destination);
    } finally {
      await context.volumes.release(mount.name, user);
    }
  }
}

/** A part that is not there, or not yet, is what the start complains about. */
async function fillPart(
  context: ContainerContext,
  { name, subpath = "", destination }: ContainerMount,
  directory: string,
  rootfs: string,
): Promise<void> {
  await using part = context.subpaths.openIfThere(directory, subpath);
  if (part) await context.volumes.copyUpPart(name, part.path, rootfs, destination);
}

/** Gives a container's volumes back, when it has ended or could not start; events tell of those that it had. Idempotent. */
export async function releaseVolumes(context: ContainerContext, record: ContainerRecord): Promise<void> {
  for (const name of volumeNames(record)) {
    const driver = context.volumes.get(name)?.driver ?? "local";
    if (await context.volumes.release(name, record.id))
      context.events.publish("volume", "unmount", name, { container: record.id, driver });
  }
}

/** Notes that a running container, which an earlier engine started, uses its volumes. */
export function adoptVolumes(context: ContainerContext, record: ContainerRecord): void {
  for (const name of volumeNames(record)) context.volumes.adopt(name, record.id);
}

function volumeNames(record: ContainerRecord): ReadonlySet<string> {
  return new Set(record.mounts.filter(({ type }) => type === "volume").map(({ name }) => name));
}
