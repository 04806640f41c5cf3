import { statSync } from "node:fs";
import { InvalidParameterError } from "#errors/errors.ts";
import { joinedContainer } from "#formats/joined-container.ts";
import type { RuntimeMount } from "#spec/oci-runtime.ts";
import type { BindMount, ContainerSpec } from "../container-runtime.ts";
import { type NamespaceContext, sharedContainerPid } from "./namespaces.ts";
import { propagationOf } from "./shared-mounts.ts";

/** Docker's default for `--shm-size`, in bytes. */
export const DEFAULT_SHM_SIZE: number = 64 * 1024 * 1024;

/** Everything mounted into a container, in the order of mounting: parents before children. */
export function resolveMounts(
  spec: ContainerSpec,
  context: NamespaceContext,
  writableCgroups: boolean = false,
): readonly RuntimeMount[] {
  const user = [...tmpfsMounts(spec.tmpfs ?? {}), ...spec.mounts.map(bindMount)];
  const taken = new Set(user.map((mount) => mount.destination));
  const system = [
    ...systemMounts(spec.privileged, spec.privileged || writableCgroups),
    ...sharedMemory(spec, context),
  ].filter(
    ({ destination }) =>
      !taken.has(destination) &&
      // Who brings a whole /dev wants what is in it.
      !(taken.has("/dev") && destination.startsWith("/dev/")),
  );
  return [...system, ...user].toSorted((left, right) => depth(left) - depth(right));
}

/** The strictest propagation of the root that still lets the binds do what they ask. */
export function rootfsPropagation(mounts: readonly RuntimeMount[]): string | undefined {
  const wanted = new Set(mounts.filter(({ type }) => type === "bind").flatMap(({ options }) => options));
  if (wanted.has("shared") || wanted.has("rshared")) return "shared";
  return wanted.has("slave") || wanted.has("rslave") ? "rslave" : undefined;
}

function systemMounts(privileged: boolean, writableCgroups: boolean): RuntimeMount[] {
  const access = privileged ? "rw" : "ro";
  const cgroupAccess = writableCgroups ? "rw" : "ro";
  return [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", access] },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    {
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: [cgroupAccess, "nosuid", "noexec", "nodev"],
    },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
  ];
}

function sharedMemory(spec: ContainerSpec, context: NamespaceContext): RuntimeMount[] {
  const destination = "/dev/shm";
  const other = joinedContainer(spec.ipcMode);
  if (spec.ipcMode === "none") return [];
  if (spec.ipcMode === "host" || spec.ipcMode === "shareable" || other !== undefined) {
    if (other !== undefined) sharedContainerPid("ipc", other, context);
    const source = spec.ipcMode === "host" ? destination : context.sharedMemoryOf(other ?? spec.id);
    if (source === undefined)
      throw new InvalidParameterError(
        `container ${other}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
      );
    return [{ destination, type: "bind", source, options: ["rbind", "rprivate", "nosuid", "noexec", "nodev"] }];
  }
  const options = ["nosuid", "noexec", "nodev", "mode=1777", `size=${spec.shmSize || DEFAULT_SHM_SIZE}`];
  return [{ destination, type: "tmpfs", source: "shm", options }];
}

function bindMount(mount: BindMount): RuntimeMount {
  const destination = checkedDestination(mount.destination);
  const options = [mount.nonRecursive ? "bind" : "rbind", propagationOf(mount), access(mount)];
  return { destination, type: "bind", source: mount.source, options };
}

/**
 * "rro": read-only with everything that is mounted below (mount_setattr(2), runc 1.1, crun 1.4), as Docker since 25. Below what is no directory nothing can
 * be, and crun 1.8 fails there.
 */
function access({ source, readonly, nonRecursive, readonlyTop }: BindMount): string {
  if (!readonly) return "rw";
  if (nonRecursive || readonlyTop) return "ro";
  return statSync(source, { throwIfNoEntry: false })?.isDirectory() ? "rro" : "ro";
}

/** `--tmpfs PATH:OPTIONS`; Docker's defaults first, so that the client's options win. */
function tmpfsMounts(tmpfs: Readonly<Record<string, string>>): RuntimeMount[] {
  return Object.entries(tmpfs).map(([destination, text]) => ({
    destination: checkedDestination(destination),
    type: "tmpfs",
    source: "tmpfs",
    options: mergeOptions(["noexec", "nosuid", "nodev"], text.split(",").filter(Boolean)),
  }));
}

const OPPOSITES: Readonly<Record<string, string>> = { exec: "noexec", suid: "nosuid", dev: "nodev" };

function mergeOptions(defaults: readonly string[], asked: readonly string[]): string[] {
  const undone = new Set(asked.map((option) => OPPOSITES[option] ?? option));
  return [...defaults.filter((option) => !undone.has(option)), ...asked];
}

function checkedDestination(path: string): string {
  if (!path.startsWith("/")) {
    throw new InvalidParameterError(`invalid mount config: invalid mount path: '${path}' mount path must be absolute`);
  }
  const clean = path.split("/").filter((part) => part !== "" && part !== ".");
  if (clean.length === 0) throw new InvalidParameterError("invalid specification: destination can't be '/'");
  return `/${clean.join("/")}`;
}

function depth(mount: RuntimeMount): number {
  return mount.destination.split("/").length;
}
