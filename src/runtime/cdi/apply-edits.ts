import { lstatSync, type Stats } from "node:fs";
import { errorCode, errorMessage, SystemError } from "#errors/errors.ts";
import type { CdiDeviceNode, CdiEdits, CdiHook, CdiMount } from "#spec/cdi.ts";
import type {
  RuntimeConfig,
  RuntimeDevice,
  RuntimeDeviceRule,
  RuntimeHooks,
  RuntimeMount,
  RuntimeProcess,
} from "#spec/oci-runtime.ts";
import { deviceNumbers } from "../bundle/devices.ts";

/**
 * The configuration with the edits made, as CDI's library makes them: variables and mounts replace those of the same name and place, nodes those
 * of the same path. Throws SystemError in its words when a host device is not there, or another than the file says.
 * https://github.com/cncf-tags/container-device-interface/blob/main/pkg/cdi/container-edits.go
 */
export function applyEdits(config: RuntimeConfig, edits: CdiEdits): RuntimeConfig {
  const { env = [], deviceNodes = [], hooks = [], mounts = [], additionalGids = [] } = edits;
  const nodes = deviceNodes.map(resolveNode);
  const { linux } = config;
  const paths = new Set(nodes.map(({ device }) => device.path));
  const devices = [
    ...(linux.devices ?? []).filter(({ path }) => !paths.has(path)),
    ...nodes.map(({ device }) => device),
  ];
  return {
    ...config,
    process: withGroups({ ...config.process, env: withVariables(config.process.env, env) }, additionalGids),
    mounts: withMounts(config.mounts, mounts),
    linux: {
      ...linux,
      resources: {
        ...linux.resources,
        devices: [...linux.resources.devices, ...nodes.flatMap(({ rule }) => rule ?? [])],
      },
      ...(devices.length > 0 ? { devices } : {}),
    },
    ...(hooks.length > 0 ? { hooks: withHooks(config.hooks ?? {}, hooks) } : {}),
  };
}

function withVariables(env: readonly string[], added: readonly string[]): readonly string[] {
  const nameOf = (entry: string): string => entry.split("=", 1)[0] ?? "";
  const last = new Map(added.map((entry) => [nameOf(entry), entry]));
  const own = new Set(env.map(nameOf));
  const replaced = env.map((entry) => last.get(nameOf(entry)) ?? entry);
  return [...replaced, ...[...last].filter(([name]) => !own.has(name)).map(([, entry]) => entry)];
}

function withGroups(process: RuntimeProcess, added: readonly number[]): RuntimeProcess {
  const groups = new Set([...(process.user.additionalGids ?? []), ...added.filter((gid) => gid !== 0)]);
  return groups.size === 0 ? process : { ...process, user: { ...process.user, additionalGids: [...groups] } };
}

/** Parents before children, whoever they come from. */
function withMounts(mounts: readonly RuntimeMount[], added: readonly CdiMount[]): readonly RuntimeMount[] {
  if (added.length === 0) return mounts;
  const places = new Set(added.map(({ containerPath }) => containerPath));
  const last = new Map(added.map((mount) => [mount.containerPath, mount]));
  const edited = [...last.values()].map(({ hostPath, containerPath, type = "", options = [] }) => ({
    destination: containerPath,
    source: hostPath,
    options,
    // With "bind" among the options the type does not matter, but crun wants one.
    type: type || "none",
  }));
  const depth = ({ destination }: RuntimeMount): number => destination.split("/").filter(Boolean).length;
  return [...mounts.filter(({ destination }) => !places.has(destination)), ...edited].toSorted(
    (left, right) => depth(left) - depth(right),
  );
}

function withHooks(hooks: RuntimeHooks, added: readonly CdiHook[]): RuntimeHooks {
  const all = new Map(Object.entries(hooks));
  for (const { hookName, path, args, env, timeout } of added) {
    const hook = { path, ...(args ? { args } : {}), ...(env ? { env } : {}), ...(timeout ? { timeout } : {}) };
    all.set(hookName, [...(all.get(hookName) ?? []), hook]);
  }
  return Object.fromEntries(all);
}

interface ResolvedNode {
  readonly device: RuntimeDevice;
  readonly rule: RuntimeDeviceRule | undefined;
}

/** What the file leaves open is the host device's. */
function resolveNode(node: CdiDeviceNode): ResolvedNode {
  const { path, permissions = "", fileMode, uid, gid } = node;
  const { type, major, minor } = identify(node);
  const device: RuntimeDevice = {
    path,
    type,
    major,
    minor,
    ...(fileMode === undefined ? {} : { fileMode }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  };
  const access = permissions === "" ? "rwm" : permissions === "none" ? "" : permissions;
  const rule = type === "b" || type === "c" ? { allow: true, type, major, minor, access } : undefined;
  return { device, rule };
}

function identify(node: CdiDeviceNode): Pick<RuntimeDevice, "type" | "major" | "minor"> {
  const { path, hostPath = "", type = "", major = 0, minor = 0 } = node;
  if (isType(type) && (major !== 0 || type === "p")) return { type, major, minor };
  const source = hostPath || path;
  const stats = statDevice(source);
  const found = stats.isBlockDevice() ? "b" : stats.isCharacterDevice() ? "c" : stats.isFIFO() ? "p" : undefined;
  if (found === undefined) throw injectionFailed(`failed to stat CDI host device "${source}": not a device node`);
  if (type !== "" && type !== found)
    throw injectionFailed(`CDI device ("${path}", "${source}"), host type mismatch (${type}, ${found})`);
  return { type: found, ...(major === 0 && found !== "p" ? deviceNumbers(stats.rdev) : { major, minor }) };
}

function isType(type: string): type is RuntimeDevice["type"] {
  return type === "b" || type === "c" || type === "u" || type === "p";
}

function statDevice(path: string): Stats {
  try {
    return lstatSync(path);
  } catch (cause) {
    const reason = errorCode(cause) === "ENOENT" ? "no such file or directory" : errorMessage(cause);
    throw injectionFailed(`failed to stat CDI host device "${path}": ${reason}`, cause);
  }
}

function injectionFailed(reason: string, cause?: unknown): SystemError {
  return new SystemError(`CDI device injection failed: failed to inject devices: ${reason}`, { cause });
}
