import { closeSync, readSync } from "node:fs";
import { ConflictError } from "#errors/errors.ts";
import { RootDirectory } from "#sys/beneath.ts";
import { ContainerTree, openForReading } from "./container-tree.ts";
import { type MountSource, openMounts } from "./open-mount.ts";

export interface ContainerFilesOptions {
  /** Host path of the mounted root. */
  readonly root: string;
  readonly mounts: readonly MountSource[];
  /** Of the container's first process; 0 when it does not run. */
  readonly pid: number;
  /** The WORKDIR of a container that never ran; absent otherwise: a container may have removed it. */
  readonly workingDirectory?: string;
}

/** A container should see this of the image's root, whether the image has it or not: what the runtime makes at the first start. */
const SYSTEM_DIRECTORIES = ["/dev", "/proc", "/sys"];
const ETC_FILES = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];

/** Opens the files of a container, running or not. Dispose the tree. */
export function openContainerFiles({ root, mounts, pid, workingDirectory }: ContainerFilesOptions): ContainerTree {
  if (workingDirectory) makeWorkingDirectory(root, workingDirectory);
  if (pid === 0) makeMountPoints(root, mounts);
  return new ContainerTree(root, openMounts(root, mounts, pid));
}

/**
 * Makes the directories that things are mounted on, as a start would, so that a path leads to them in a container that never ran. Those of a file,
 * and below other mounts, need not exist to be found.
 */
function makeMountPoints(root: string, mounts: readonly MountSource[]): void {
  using directory = new RootDirectory(root);
  for (const { destination } of mounts) {
    const parent = destination.slice(0, destination.lastIndexOf("/"));
    const isNested = mounts.some((other) => destination.startsWith(`${other.destination}/`));
    if (parent !== "" && !isNested) directory.makeDirectories(parent);
  }
}

/** dockerd makes it when it makes the container. One that cannot be made is the start's to complain about. */
function makeWorkingDirectory(root: string, path: string): void {
  using directory = new RootDirectory(root);
  try {
    directory.makeDirectories(path);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
}

/** Makes what every container's root has in an export: the mount points of the system, empty. */
export function makeSystemMountPoints(root: string): void {
  using directory = new RootDirectory(root);
  for (const path of [...SYSTEM_DIRECTORIES, "/etc"]) if (!directory.lstat(path)) directory.makeDirectories(path);
  for (const path of ETC_FILES) directory.makeFile(path);
}

/** The text of a file of a container, at most its first `maxBytes`; "" when there is none. */
export function readContainerFile(tree: ContainerTree, path: string, maxBytes: number): string {
  using place = tree.find(path);
  const descriptor = place?.stats.isFile() ? openForReading(place) : undefined;
  if (descriptor === undefined) return "";
  try {
    const bytes = Buffer.alloc(Math.min(Number(place?.stats.size ?? 0), maxBytes));
    return bytes.toString("utf8", 0, readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(descriptor);
  }
}
