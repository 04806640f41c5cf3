import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import type { RuntimeDevice, RuntimeDeviceRule } from "#spec/oci-runtime.ts";

const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

/**
 * The device cgroup of a container: nothing but the harmless. The runtime adds what it needs itself (pty, ptmx, full, console).
 * 10:229 is fuse: Docker denies it by name, in case a runtime allows it.
 */
const DEVICE_RULES: readonly RuntimeDeviceRule[] = [
  { allow: false, access: "rwm" },
  { allow: true, type: "c", major: 1, minor: 5, access: "rwm" },
  { allow: true, type: "c", major: 1, minor: 3, access: "rwm" },
  { allow: true, type: "c", major: 1, minor: 9, access: "rwm" },
  { allow: true, type: "c", major: 1, minor: 8, access: "rwm" },
  { allow: true, type: "c", major: 5, minor: 0, access: "rwm" },
  { allow: true, type: "c", major: 5, minor: 1, access: "rwm" },
  { allow: false, type: "c", major: 10, minor: 229, access: "rwm" },
];

export interface DeviceRequest {
  readonly hostPath: string;
  readonly containerPath: string;
  /** Of "rwm". */
  readonly permissions: string;
}

export interface ResolvedDevices {
  readonly devices: readonly RuntimeDevice[];
  readonly rules: readonly RuntimeDeviceRule[];
}

/**
 * Devices and device rules of a container; `cgroupRules` are further rules as the kernel writes them. Privileged: all devices of the host
 * and those that are to have another path besides, and no limit.
 * Throws InvalidParameterError with Docker's words when a host device is none, or a rule none.
 */
export function resolveDevices(
  requests: readonly DeviceRequest[],
  cgroupRules: readonly string[],
  privileged: boolean,
): ResolvedDevices {
  if (privileged) {
    const renamed = requests.filter((request) => (request.containerPath || request.hostPath) !== request.hostPath);
    const devices = [...hostDevices("/dev"), ...renamed.flatMap(requestedDevices).map(({ device }) => device)];
    return { devices, rules: [{ allow: true, access: "rwm" }] };
  }
  const found = requests.flatMap(requestedDevices);
  return {
    devices: found.map(({ device }) => device),
    rules: [...DEVICE_RULES, ...found.map(({ rule }) => rule), ...cgroupRules.map(parseDeviceCgroupRule)],
  };
}

/** Reads `c 42:* rwm`, in which `*` is any number and `a` both kinds. Throws InvalidParameterError with Docker's words. */
export function parseDeviceCgroupRule(text: string): RuntimeDeviceRule {
  const [, type, major = "", minor = "", access = ""] = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text) ?? [];
  if (type !== "a" && type !== "c" && type !== "b")
    throw new InvalidParameterError(`invalid device cgroup rule format: '${text}'`);
  return {
    allow: true,
    type,
    access,
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
  };
}

/** The numbers of the block device at a host path. Throws InvalidParameterError, in Docker's words, when there is none. */
export function blockDeviceNumbers(path: string): { readonly major: number; readonly minor: number } {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status) throw new InvalidParameterError(`stat ${path}: no such file or directory`);
  if ((status.mode & S_IFMT) !== S_IFBLK)
    throw new InvalidParameterError(`cannot limit the device "${path}": it is not a block device`);
  return deviceNumbers(status.rdev);
}

interface FoundDevice {
  readonly device: RuntimeDevice;
  readonly rule: RuntimeDeviceRule;
}

/** One device, or all devices of a directory, as Docker takes `--device /dev/snd`. */
function requestedDevices(request: DeviceRequest): FoundDevice[] {
  const permissions = request.permissions || "rwm";
  if (!/^[rwm]{1,3}$/.test(permissions)) throw new InvalidParameterError(`invalid device mode: ${permissions}`);
  const target = request.containerPath || request.hostPath;
  const problem = `error gathering device information while adding custom device "${request.hostPath}"`;
  let isDirectory: boolean;
  try {
    isDirectory = statSync(request.hostPath).isDirectory();
  } catch (cause) {
    const reason = errorMessage(cause).startsWith("ENOENT") ? "no such file or directory" : errorMessage(cause);
    throw new InvalidParameterError(`${problem}: ${reason}`, { cause });
  }
  const devices = isDirectory ? hostDevices(request.hostPath, target) : [deviceAt(request.hostPath, target)];
  const real = devices.filter((device) => device !== undefined);
  if (real.length === 0) throw new InvalidParameterError(`${problem}: not a device node`);
  return real.map((device) => ({ device, rule: ruleFor(device, permissions) }));
}

function ruleFor(device: RuntimeDevice, access: string): RuntimeDeviceRule {
  return { allow: true, type: device.type === "b" ? "b" : "c", major: device.major, minor: device.minor, access };
}

/** The directories below /dev that the container has of its own. */
const OWN_DIRECTORIES: ReadonlySet<string> = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"]);

function hostDevices(directory: string, target = directory): RuntimeDevice[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (OWN_DIRECTORIES.has(entry.name) || entry.name === "console" || entry.isSymbolicLink()) return [];
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return hostDevices(path, join(target, entry.name));
    const device = deviceAt(path, join(target, entry.name));
    return device ? [device] : [];
  });
}

/** The device node at a host path; undefined when it is something else or vanished. */
function deviceAt(path: string, target: string): RuntimeDevice | undefined {
  const status = statSync(path, { throwIfNoEntry: false });
  const kind = (status?.mode ?? 0) & S_IFMT;
  if (!status || (kind !== S_IFCHR && kind !== S_IFBLK)) return undefined;
  return {
    path: target,
    type: kind === S_IFBLK ? "b" : "c",
    ...deviceNumbers(status.rdev),
    fileMode: status.mode & 0o777,
    uid: status.uid,
    gid: status.gid,
  };
}

/** glibc's split of dev_t. https://sourceware.org/git/?p=glibc.git;a=blob;f=bits/sysmacros.h */
export function deviceNumbers(rdev: number): { readonly major: number; readonly minor: number } {
  const device = BigInt(rdev);
  return {
    major: Number((device >> 8n) & 0xfffn) | Number((device >> 32n) & 0xfffff000n),
    minor: Number(device & 0xffn) | Number((device >> 12n) & 0xffffff00n),
  };
}
