import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { posix } from "node:path";
import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import type { ContainerConfig, HostConfig, MountRequest } from "#spec/docker-api.ts";
import { parseVolume } from "#volume/parse-volume.ts";
import type { ContainerContext } from "./container-context.ts";
import type { ContainerMount, ContainerRecord } from "./container-record.ts";
import { namedContainer } from "./joined-containers.ts";

/**
 * All mounts of a new container, volumes made: `-v` and `--mount` first, then `--volumes-from`, then the image's VOLUMEs that nothing else
 * covers. Throws InvalidParameterError in Docker's words.
 */
export async function resolveMounts(
  context: ContainerContext,
  config: ContainerConfig,
  hostConfig: HostConfig,
): Promise<ContainerMount[]> {
  const mounts = new Map<string, ContainerMount>();
  const add = (mount: ContainerMount): void => {
    if (mounts.has(mount.destination)) throw new InvalidParameterError(`Duplicate mount point: ${mount.destination}`);
    mounts.set(mount.destination, mount);
  };
  for (const bind of hostConfig.Binds ?? []) add(await fromBind(context, bind));
  for (const request of hostConfig.Mounts ?? []) add(await fromMountRequest(context, request));
  for (const [destination, options] of Object.entries(hostConfig.Tmpfs ?? {})) add(tmpfsMount(destination, options));
  for (const mount of (hostConfig.VolumesFrom ?? []).flatMap((text) => fromContainer(context, text))) {
    if (!mounts.has(mount.destination)) mounts.set(mount.destination, mount);
  }
  for (const destination of Object.keys(config.Volumes ?? {})) {
    // `VOLUME data` counts from the root.
    const path = posix.resolve("/", destination);
    if (!mounts.has(path))
      mounts.set(
        path,
        await volumeMount(context, { name: "", destination: path, readonly: false, mode: "", copyUp: true }),
      );
  }
  return [...mounts.values()];
}

/** Fills new volumes with what the image has at their place. `rootfs` is the container's mounted root. Throws InvalidParameterError. */
export async function fillVolumes(context: ContainerContext, record: ContainerRecord, rootfs: string): Promise<void> {
  for (const mount of record.mounts) {
    if (mount.type !== "volume" || !mount.copyUp) continue;
    const volume = context.volumes.get(mount.name);
    if (!volume) throw new InvalidParameterError(`cannot mount volume "${mount.name}": no such volume`);
    await context.volumes.copyUp(volume, rootfs, mount.destination);
  }
}

async function fromBind(context: ContainerContext, text: string): Promise<ContainerMount> {
  const spec = parseVolume(text);
  const { destination, readonly, mode } = spec;
  if (spec.kind === "volume")
    return volumeMount(context, { name: spec.name, destination, readonly, mode, copyUp: !spec.noCopy });
  // `-v` makes a missing host directory, `--mount` does not: Docker's difference between the two.
  if (!existsSync(spec.source)) await mkdir(spec.source, { recursive: true, mode: 0o755 });
  return bindMount(spec.source, destination, readonly, spec.propagation, mode);
}

async function fromMountRequest(context: ContainerContext, request: MountRequest): Promise<ContainerMount> {
  const invalid = (problem: string): InvalidParameterError =>
    new InvalidParameterError(`invalid mount config for type "${request.Type}": ${problem}`);
  if (request.Target === "") throw invalid("field Target must not be empty");
  if (!request.Target.startsWith("/")) throw invalid(notAbsolute(request.Target));
  if (request.Type === "bind" && !request.Source) throw invalid("field Source must not be empty");
  if (request.Type === "tmpfs" && request.Source) throw invalid("field Source must not be specified");
  const destination = posix.normalize(request.Target);
  const readonly = request.ReadOnly ?? false;
  switch (request.Type) {
    case "bind":
      return bindMount(checkBindSource(request), destination, readonly, request.BindOptions?.Propagation ?? "", "");
    case "volume":
      if (request.VolumeOptions?.Subpath) throw new NotImplementedError("volume subpaths are not supported yet");
      return volumeMount(context, {
        name: request.Source ?? "",
        destination,
        readonly,
        mode: "z",
        copyUp: !(request.VolumeOptions?.NoCopy ?? false),
      });
    case "tmpfs":
      return tmpfsMount(destination, tmpfsOptions(request));
  }
}

function checkBindSource(request: MountRequest): string {
  const source = request.Source ?? "";
  if (!source.startsWith("/"))
    throw new InvalidParameterError(`invalid mount config for type "bind": ${notAbsolute(source)}`);
  if (!existsSync(source))
    throw new InvalidParameterError(`invalid mount config for type "bind": bind source path does not exist: ${source}`);
  return source;
}

function bindMount(
  source: string,
  destination: string,
  readonly: boolean,
  propagation: string,
  mode: string,
): ContainerMount {
  return { type: "bind", name: "", source, destination, readonly, propagation, mode, copyUp: false, anonymous: false };
}

interface VolumeMountRequest {
  /** "" for an anonymous volume. */
  readonly name: string;
  readonly destination: string;
  readonly readonly: boolean;
  readonly mode: string;
  readonly copyUp: boolean;
}

async function volumeMount(
  context: ContainerContext,
  { name, ...request }: VolumeMountRequest,
): Promise<ContainerMount> {
  const anonymous = name === "";
  const known = !anonymous && context.volumes.get(name) !== undefined;
  const volume = await context.volumes.create(name || randomBytes(32).toString("hex"), { anonymous });
  if (!known) context.events.publish("volume", "create", volume.name, { driver: volume.driver });
  return { type: "volume", name: volume.name, source: volume.mountpoint, propagation: "", anonymous, ...request };
}

function notAbsolute(path: string): string {
  return `invalid mount path: '${path}' mount path must be absolute`;
}

function tmpfsMount(destination: string, options: string): ContainerMount {
  if (!destination.startsWith("/")) throw new InvalidParameterError(notAbsolute(destination));
  return {
    type: "tmpfs",
    name: "",
    source: "",
    destination: posix.normalize(destination),
    readonly: false,
    propagation: "",
    mode: "",
    copyUp: false,
    anonymous: false,
    options,
  };
}

function tmpfsOptions({ ReadOnly, TmpfsOptions }: MountRequest): string {
  return [
    ReadOnly ? "ro" : "",
    TmpfsOptions?.SizeBytes ? `size=${TmpfsOptions.SizeBytes}` : "",
    TmpfsOptions?.Mode ? `mode=${TmpfsOptions.Mode.toString(8)}` : "",
  ]
    .filter((option) => option !== "")
    .join(",");
}

/** `--volumes-from CONTAINER[:ro|rw]`. */
function fromContainer(context: ContainerContext, text: string): ContainerMount[] {
  const [name = "", mode = ""] = text.split(":");
  if (!["", "ro", "rw", "z", "Z"].includes(mode)) throw new InvalidParameterError(`invalid mode: ${mode}`);
  const source = namedContainer(context.containers, name);
  return source.mounts
    .filter((mount) => mount.type !== "tmpfs")
    .map((mount) => ({ ...mount, readonly: mode === "ro" || mount.readonly, copyUp: false, anonymous: false }));
}
