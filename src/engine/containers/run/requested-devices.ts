import { SystemError } from "#errors/errors.ts";
import type { KnownDevice } from "#runtime/cdi/device-catalog.ts";
import type { CdiProblem } from "#runtime/cdi/read-directories.ts";
import type { DeviceRequest } from "#spec/docker-resources.ts";

/** What containers need of the host's CDI files. */
export interface DeviceLookup {
  /** Where they are looked for; none: there is no CDI. */
  readonly directories: readonly string[];
  list(): readonly KnownDevice[];
  /** The files that are not used, and why. */
  problems(): readonly CdiProblem[];
}

/** What a request for an NVIDIA GPU may ask it to be able to do. */
const NVIDIA_CAPABILITIES: ReadonlySet<string> = new Set([
  "gpu",
  "nvidia",
  "compute",
  "compat32",
  "graphics",
  "utility",
  "video",
  "display",
]);
const NVIDIA_KIND = "nvidia.com/gpu";

/**
 * The CDI names of the devices that a container asks for, `--device vendor.com/class=name` as well as `--gpus`. GPUs are NVIDIA's CDI devices, as in dockerd
 * where there is no hook of NVIDIA's runtime. Throws SystemError in dockerd's words: it, too, looks at the container's start, for devices come and go.
 * https://github.com/moby/moby/blob/master/daemon/devices.go
 */
export function requestedDevices(requests: readonly DeviceRequest[], lookup: DeviceLookup): readonly string[] {
  return [...new Set(requests.flatMap((request) => namesOf(request, lookup)))];
}

function namesOf(request: DeviceRequest, lookup: DeviceLookup): readonly string[] {
  if (request.Driver === "cdi" && lookup.directories.length > 0) return cdiNames(request);
  if ((request.Driver === "" || request.Driver === "nvidia") && wantsNvidia(request) && hasNvidia(lookup))
    return gpuNames(request);
  throw noDriver(request);
}

function cdiNames({ Count, DeviceIDs, Options }: DeviceRequest): readonly string[] {
  if (Count !== 0) throw new SystemError("unexpected count in CDI device request");
  if (Object.keys(Options ?? {}).length > 0) throw new SystemError("unexpected options in CDI device request");
  return DeviceIDs ?? [];
}

/** One of the alternatives holds nothing that a GPU of NVIDIA cannot. */
function wantsNvidia({ Capabilities }: DeviceRequest): boolean {
  return (Capabilities ?? []).some((all) => all.every((capability) => NVIDIA_CAPABILITIES.has(capability)));
}

function hasNvidia(lookup: DeviceLookup): boolean {
  return lookup.list().some(({ name }) => name.startsWith(`${NVIDIA_KIND}=`));
}

function gpuNames({ Count, DeviceIDs }: DeviceRequest): readonly string[] {
  const ids = DeviceIDs ?? [];
  if (Count !== 0 && ids.length > 0) throw new SystemError("cannot set both Count and DeviceIDs on device request");
  const wanted = Count < 0 ? ["all"] : Count > 0 ? Array.from({ length: Count }, (_, at) => String(at)) : ids;
  return wanted.map((id) => (id.includes("=") ? id : `${NVIDIA_KIND}=${id}`));
}

function noDriver({ Driver, Capabilities }: DeviceRequest): SystemError {
  const capabilities = (Capabilities ?? []).map((all) => `[${all.join(" ")}]`).join(" ");
  return new SystemError(
    `could not select device driver ${JSON.stringify(Driver)} with capabilities: [${capabilities}]`,
  );
}
