import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { tarName } from "#formats/tar/tar-entry.ts";
import { RootDirectory } from "#sys/beneath.ts";
import { isMountRoot, openPath } from "#sys/by-descriptor.ts";
import { errnoOf } from "#sys/libc.ts";
import { O_CLOEXEC, O_PATH } from "#sys/open-flags.ts";

/** What a container has mounted at a path. */
export interface MountSource {
  /** Absolute path in the container; links in it lead on inside the root. */
  readonly destination: string;
  /** Host path; "" for what exists only while the container runs (a tmpfs). */
  readonly source: string;
  readonly readonly: boolean;
}

/** A mount held open by its top. */
export interface OpenMount extends Disposable {
  readonly descriptor: number;
  /** As in {@link MountSource}, latin1. */
  readonly destination: string;
  readonly readonly: boolean;
}

/**
 * Opens a container's mounts. Of a running one (`pid`) what it really has is taken from its own mount namespace: its host paths may lead elsewhere
 * by now. Of others the host paths are opened, as a start would. What cannot be opened is left out.
 */
export function openMounts(root: string, mounts: readonly MountSource[], pid: number): OpenMount[] {
  using view = pid > 0 ? openView(pid, root) : undefined;
  const opened: OpenMount[] = [];
  try {
    for (const mount of mounts) {
      const descriptor = view ? openInside(view, mount.destination) : openOutside(mount.source);
      if (descriptor !== undefined) opened.push(new HeldMount(descriptor, mount));
    }
    return opened;
  } catch (error) {
    for (const mount of opened) mount[Symbol.dispose]();
    throw error;
  }
}

/** The root of a running container as its first process sees it, if that is the root we know: a pid may be another's by now. */
function openView(pid: number, root: string): RootDirectory | undefined {
  let view: RootDirectory | undefined;
  try {
    view = new RootDirectory(`/proc/${pid}/root`);
    const expected = openPath(root);
    try {
      const [a, b] = [fstatSync(expected), view.stat("/")];
      if (b && a.dev === b.dev && a.ino === b.ino) return view;
    } finally {
      closeSync(expected);
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  view?.[Symbol.dispose]();
  return undefined;
}

function openInside(view: RootDirectory, destination: string): number | undefined {
  const descriptor = unlessGone(() => view.open(destination, O_PATH));
  if (descriptor === undefined || isMountRoot(descriptor)) return descriptor;
  // The container has taken the mount away, or moved what it was mounted on.
  closeSync(descriptor);
  return undefined;
}

function openOutside(source: string): number | undefined {
  return source === "" ? undefined : unlessGone(() => openSync(source, O_PATH | O_CLOEXEC | constants.O_NONBLOCK));
}

function unlessGone<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** ELOOP: links in a circle where the path of a mount was. */
function isGone(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ESRCH", "EACCES", "ELOOP"].includes(errnoOf(error) ?? "");
}

class HeldMount implements OpenMount {
  readonly descriptor: number;
  readonly destination: string;
  readonly readonly: boolean;

  constructor(descriptor: number, { destination, readonly }: MountSource) {
    this.descriptor = descriptor;
    this.destination = tarName(destination);
    this.readonly = readonly;
  }

  [Symbol.dispose](): void {
    closeSync(this.descriptor);
  }
}
