import { existsSync } from "node:fs";
import { posix } from "node:path";
import { InvalidParameterError } from "#errors/errors.ts";
import type { MountRequest } from "#spec/docker-containers.ts";

/*
 * What Docker checks of an element of `HostConfig.Mounts`, in its order and words:
 * https://github.com/moby/moby/blob/v28.2.2/volume/mounts/linux_parser.go
 */

const PROPAGATIONS = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];
const TMPFS_OPTIONS = ["exec", "noexec"];

/** Throws InvalidParameterError unless the request can be a mount. */
export function checkMountRequest(request: MountRequest): void {
  try {
    checkTarget(request.Target);
    CHECKS[request.Type](request);
  } catch (error) {
    if (!(error instanceof InvalidParameterError)) throw error;
    throw new InvalidParameterError(`invalid mount config for type "${request.Type}": ${error.message}`, {
      cause: error,
    });
  }
}

/** Throws InvalidParameterError unless the path can be mounted on. */
export function checkTarget(target: string): void {
  if (target === "") throw new InvalidParameterError("field Target must not be empty");
  if (posix.normalize(target).replace(/(.)\/$/, "$1") === "/")
    throw new InvalidParameterError("invalid specification: destination can't be '/'");
  checkAbsolute(target);
}

const CHECKS: Readonly<Record<MountRequest["Type"], (request: MountRequest) => void>> = {
  bind: checkBind,
  volume: checkVolume,
  tmpfs: checkTmpfs,
  image: checkImage,
};

function checkBind({ Source = "", BindOptions, VolumeOptions }: MountRequest): void {
  if (Source === "") throw missing("Source");
  const propagation = BindOptions?.Propagation ?? "";
  if (propagation !== "" && !PROPAGATIONS.includes(propagation))
    throw new InvalidParameterError(`invalid propagation mode: ${propagation}`);
  if (VolumeOptions) throw extra("VolumeOptions");
  checkAbsolute(Source);
  if (!BindOptions?.CreateMountpoint && !existsSync(Source))
    throw new InvalidParameterError(`bind source path does not exist: ${Source}`);
}

function checkVolume({ Source = "", ReadOnly, BindOptions, VolumeOptions }: MountRequest): void {
  if (BindOptions) throw extra("BindOptions");
  const subpath = VolumeOptions?.Subpath ?? "";
  if (subpath !== "" && Source === "")
    throw new InvalidParameterError("must not set Subpath when using anonymous volumes");
  checkSubpath(subpath);
  if (ReadOnly && Source === "")
    throw new InvalidParameterError("must not set ReadOnly mode when using anonymous volumes");
}

function checkTmpfs({ Source = "", BindOptions, TmpfsOptions }: MountRequest): void {
  if (BindOptions) throw extra("BindOptions");
  if (Source !== "") throw extra("Source");
  for (const option of TmpfsOptions?.Options ?? []) {
    if (option.length < 1 || option.length > 2) throw new InvalidParameterError("invalid option array length");
    if (!TMPFS_OPTIONS.includes(option[0] ?? "")) throw new InvalidParameterError(`invalid option: ${option[0]}`);
  }
}

function checkImage({ Source = "", BindOptions, ImageOptions }: MountRequest): void {
  if (BindOptions) throw extra("BindOptions");
  if (Source === "") throw missing("Source");
  checkSubpath(ImageOptions?.Subpath ?? "");
}

/** Go's filepath.IsLocal: not absolute, and never above where it starts. */
function checkSubpath(subpath: string): void {
  const clean = posix.normalize(subpath);
  if (subpath.startsWith("/") || clean === ".." || clean.startsWith("../"))
    throw new InvalidParameterError("subpath must be a relative path within the volume");
}

function checkAbsolute(path: string): void {
  if (!path.startsWith("/"))
    throw new InvalidParameterError(`invalid mount path: '${path}' mount path must be absolute`);
}

function missing(field: string): InvalidParameterError {
  return new InvalidParameterError(`field ${field} must not be empty`);
}

function extra(field: string): InvalidParameterError {
  return new InvalidParameterError(`field ${field} must not be specified`);
}
