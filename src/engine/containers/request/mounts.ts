import { posix } from "node:path";
import type { ContainerContext } from "#engine/containers/container-context.ts";
import type { ContainerMount } from "#engine/containers/container-record.ts";
import type { PendingContainer } from "#engine/containers/container-store.ts";
import { namedContainer } from "#engine/containers/joined-containers.ts";
import { removeAnonymousVolumes } from "#engine/containers/remove.ts";
import { makeBindSource } from "#engine/containers/run/use-mounts.ts";
import { createVolume } from "#engine/volumes/volumes.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { cleanPath } from "#formats/copy-path.ts";
import type { ContainerConfig, HostConfig, MountRequest } from "#spec/docker-containers.ts";
import { parseVolume } from "#volume/parse-volume.ts";
import { bindPropagation } from "./engine-directories.ts";
import { checkMountRequest, checkTarget } from "./mount-request.ts";

/**
 * All mounts of a new container, volumes made: `-v` and `--mount` first, then `--volumes-from`, then the image's VOLUMEs that nothing else
 * covers. Throws InvalidParameterError in Docker's words; volumes without a name that were made by then are removed again.
 */
export async function resolveMounts(
  context: ContainerContext,
  config: ContainerConfig,
  hostConfig: HostConfig,
  pending: PendingContainer,
): Promise<ContainerMount[]> {
  const made: ContainerMount[] = [];
  try {
    await addMounts({ context, pending }, config, hostConfig, made);
  } catch (error) {
    await removeAnonymousVolumes(context, made, pending.id);
    throw error;
  }
  return made;
}

/** Where mounts are made, and for whom. */
interface MountMaking {
  readonly context: ContainerContext;
  readonly pending: PendingContainer;
}

async function addMounts(
  making: MountMaking,
  config: ContainerConfig,
  hostConfig: HostConfig,
  made: ContainerMount[],
): Promise<void> {
  const taken = new Set<string>();
  const add = (mount: ContainerMount): void => {
    made.push(mount);
    if (taken.has(mount.destination)) throw new InvalidParameterError(`Duplicate mount point: ${mount.destination}`);
    taken.add(mount.destination);
  };
  const driver = hostConfig.VolumeDriver ?? "";
  for (const bind of hostConfig.Binds ?? []) add(await fromBind(making, bind, driver));
  for (const request of hostConfig.Mounts ?? []) add(await fromMountRequest(making, request));
  for (const [destination, options] of Object.entries(hostConfig.Tmpfs ?? {})) add(tmpfsMount(destination, options));
  // The last container that has something at a place counts, and what is asked for itself before all of them.
  const inherited = (hostConfig.VolumesFrom ?? []).flatMap((text) => fromContainer(making, text));
  for (const mount of new Map(inherited.map((one) => [one.destination, one])).values()) {
    if (!taken.has(mount.destination)) add(mount);
  }
  for (const destination of Object.keys(config.Volumes ?? {})) {
    // `VOLUME data` counts from the root.
    const path = posix.resolve("/", destination);
    if (taken.has(path)) continue;
    const request = { name: "", destination: path, readonly: false, mode: "", copyUp: true };
    checkVolumeDriver(driver);
    add(await volumeMount(making, { ...request, driver }));
  }
}

async function fromBind(making: MountMaking, text: string, driver: string): Promise<ContainerMount> {
  const spec = parseVolume(text);
  const { destination, readonly, mode } = spec;
  if (spec.kind === "volume") {
    checkVolumeDriver(driver);
    return volumeMount(making, {
      ...{ name: spec.name, destination, readonly, copyUp: !spec.noCopy, driver },
      // As Docker shows it: label it for sharing, where the host has labels.
      mode: mode || "z",
    });
  }
  // `-v` makes a missing host directory, `--mount` does not: Docker's difference between the two.
  await makeBindSource(spec.source);
  const propagation = bindPropagation(making.context.directories, spec.source, spec.propagation);
  return { ...bindMount(spec.source, destination, readonly, propagation, mode), makesSource: true };
}

/** A missing driver of HostConfig matters only to a container with volumes. Not NotFoundError: the docker CLI would take it for no image, and pull. */
function checkVolumeDriver(driver: string): void {
  if (["", "local"].includes(driver)) return;
  throw new InvalidParameterError(`error looking up volume plugin ${driver}: plugin "${driver}" not found`);
}

async function fromMountRequest(making: MountMaking, request: MountRequest): Promise<ContainerMount> {
  checkMountRequest(request);
  const destination = cleanPath(request.Target);
  const source = request.Source ?? "";
  switch (request.Type) {
    case "bind":
      if (request.BindOptions?.CreateMountpoint) await makeBindSource(source);
      return { ...requestedBind(making.context, request, destination), ...recursion(request) };
    case "volume":
      return fromVolumeRequest(making, request, destination);
    case "tmpfs":
      return tmpfsMount(destination, tmpfsOptions(request));
    case "image": {
      const subpath = request.ImageOptions?.Subpath;
      const imageId = making.context.images.find(source).id;
      making.pending.needsImage(imageId);
      return {
        ...NO_MOUNT,
        type: "image",
        source,
        destination,
        readonly: true,
        imageId,
        ...(subpath ? { subpath } : {}),
      };
    }
  }
}

function requestedBind(context: ContainerContext, request: MountRequest, destination: string): ContainerMount {
  const source = cleanPath(request.Source ?? "");
  const propagation = bindPropagation(context.directories, source, request.BindOptions?.Propagation ?? "");
  return bindMount(source, destination, request.ReadOnly ?? false, propagation, "");
}

function recursion({
  BindOptions,
}: MountRequest): Pick<ContainerMount, "makesSource" | "nonRecursive" | "readonlyTop"> {
  return {
    ...(BindOptions?.CreateMountpoint ? { makesSource: true } : {}),
    ...(BindOptions?.NonRecursive ? { nonRecursive: true } : {}),
    ...(BindOptions?.ReadOnlyNonRecursive ? { readonlyTop: true } : {}),
  };
}

async function fromVolumeRequest(
  making: MountMaking,
  { Source = "", ReadOnly, VolumeOptions }: MountRequest,
  destination: string,
): Promise<ContainerMount> {
  const { NoCopy, Labels, DriverConfig, Subpath } = VolumeOptions ?? {};
  const mount = await volumeMount(making, {
    name: Source,
    destination,
    readonly: ReadOnly ?? false,
    mode: "z",
    copyUp: !NoCopy,
    driver: DriverConfig?.Name ?? "",
    driverOpts: DriverConfig?.Options ?? {},
    labels: Labels ?? {},
  });
  return Subpath ? { ...mount, subpath: Subpath } : mount;
}

/** What most mounts have not. */
const NO_MOUNT = { name: "", source: "", readonly: false, propagation: "", mode: "", copyUp: false, anonymous: false };

function bindMount(
  source: string,
  destination: string,
  readonly: boolean,
  propagation: Pick<ContainerMount, "propagation" | "showsEngine">,
  mode: string,
): ContainerMount {
  return { ...NO_MOUNT, type: "bind", source, destination, readonly, ...propagation, mode };
}

interface VolumeMountRequest {
  /** "" for an anonymous volume. */
  readonly name: string;
  readonly destination: string;
  readonly readonly: boolean;
  readonly mode: string;
  readonly copyUp: boolean;
  readonly driver?: string;
  readonly driverOpts?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

async function volumeMount(
  { context, pending }: MountMaking,
  { name, driver = "", driverOpts = {}, labels = {}, ...mount }: VolumeMountRequest,
): Promise<ContainerMount> {
  if (name !== "") pending.needsVolume(name);
  const volume = await createVolume(context, { name, driver, driverOpts, labels, madeFor: pending.id });
  pending.needsVolume(volume.name);
  const { mountpoint: source } = volume;
  return { ...NO_MOUNT, type: "volume", source, ...mount, name: volume.name, anonymous: name === "" };
}

function tmpfsMount(destination: string, options: string): ContainerMount {
  checkTarget(destination);
  return { ...NO_MOUNT, type: "tmpfs", destination: cleanPath(destination), options };
}

function tmpfsOptions({ ReadOnly, TmpfsOptions }: MountRequest): string {
  return [
    ReadOnly ? "ro" : "",
    TmpfsOptions?.Mode ? `mode=${TmpfsOptions.Mode.toString(8)}` : "",
    TmpfsOptions?.SizeBytes ? `size=${TmpfsOptions.SizeBytes}` : "",
    ...(TmpfsOptions?.Options ?? []).map((option) => option.join("=")),
  ]
    .filter((option) => option !== "")
    .join(",");
}

/** `--volumes-from CONTAINER[:ro|rw]`. */
function fromContainer({ context, pending }: MountMaking, text: string): ContainerMount[] {
  if (text === "") throw new InvalidParameterError("volumes-from specification cannot be an empty string");
  const [name = "", mode = ""] = text.split(":");
  if (!["", "ro", "rw", "z", "Z"].includes(mode)) throw new InvalidParameterError(`invalid mode: ${mode}`);
  const source = namedContainer(context.containers, name);
  for (const { imageId, type, name: volume } of source.mounts) {
    if (imageId) pending.needsImage(imageId);
    if (type === "volume") pending.needsVolume(volume);
  }
  return source.mounts
    .filter((mount) => mount.type !== "tmpfs")
    .map((mount) => ({ ...mount, readonly: mode === "ro" || mount.readonly, mode: "", copyUp: false }));
}
