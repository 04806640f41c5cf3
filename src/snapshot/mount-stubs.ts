import { readdirSync, readlinkSync, type Stats } from "node:fs";
import { getXattr, listXattrs } from "#sys/xattr.ts";
import { type PresentEntry, type UpperEntry, unlessGone } from "./upper-walk.ts";

/** A directory of the layers that the upper directory has too. */
type DirectoryEntry = PresentEntry & { readonly belowStats: Stats; readonly belowLocation: Buffer };

/** What every container has something mounted on. The runtime makes what an image lacks of them, in the writable directory. */
const MOUNT_POINTS: ReadonlySet<string> = new Set([
  "dev",
  "proc",
  "sys",
  "etc/hostname",
  "etc/hosts",
  "etc/resolv.conf",
]);

/** What every container has put into its root besides: see container-marks.ts. */
const MARK = ".dockerenv";
const MOUNT_TABLE = { path: "etc/mtab", target: "/proc/mounts" };

function isMountStub(entry: UpperEntry): boolean {
  if (entry.kind === "deleted" || entry.below !== "nothing") return false;
  if (entry.path === MOUNT_TABLE.path && entry.stats.isSymbolicLink()) {
    return readlinkSync(entry.location, "latin1") === MOUNT_TABLE.target;
  }
  if (entry.path === MARK) return entry.stats.isFile() && entry.stats.size === 0n;
  if (!MOUNT_POINTS.has(entry.path)) return false;
  return entry.stats.isDirectory() ? readdirSync(entry.location).length === 0 : entry.stats.size === 0n;
}

/**
 * What a layer holds of the changes: without the empty files and directories that only exist because something was mounted on them, which the container
 * never saw and Docker hides in an extra layer below the writable one; and without the directories in which nothing changed, as overlayfs has them
 * that copies up whatever was opened for writing once. The time of a directory counts, in seconds as in a layer.
 */
export function* layerChanges(entries: Iterable<UpperEntry>): Generator<UpperEntry, void, void> {
  // Directories that nothing has changed in yet, each inside the one before.
  const waiting: UpperEntry[] = [];
  for (const entry of entries) {
    while (waiting.length > 0 && !entry.path.startsWith(`${waiting.at(-1)?.path}/`)) waiting.pop();
    if (isMountStub(entry)) continue;
    if (isUnchangedDirectory(entry) && hasSameTime(entry) && hasSameXattrs(entry)) {
      waiting.push(entry);
      continue;
    }
    yield* waiting.splice(0);
    yield entry;
  }
}

/**
 * What `container diff` tells of the changes: without mount stubs, and without the directories that were only copied up to put one in. Others that were copied up
 * count as changed.
 */
export function* shownChanges(entries: Iterable<UpperEntry>): Generator<UpperEntry, void, void> {
  let held: UpperEntry | undefined;
  let sawStub = false;
  for (const entry of entries) {
    if (held && !entry.path.startsWith(`${held.path}/`)) {
      if (!sawStub) yield held;
      held = undefined;
    }
    if (isMountStub(entry)) sawStub = true;
    else {
      if (held) yield held;
      held = isUnchangedDirectory(entry) ? entry : undefined;
      sawStub = false;
      if (!held) yield entry;
    }
  }
  if (held && !sawStub) yield held;
}

/** Whether all that may have changed of a directory is its time, and its extended attributes. */
function isUnchangedDirectory(entry: UpperEntry): entry is DirectoryEntry {
  if (entry.kind === "deleted" || entry.below !== "directory" || entry.opaque) return false;
  const { stats, belowStats, belowLocation } = entry;
  return (
    belowStats !== undefined &&
    belowLocation !== undefined &&
    Number(stats.mode) === belowStats.mode &&
    Number(stats.uid) === belowStats.uid &&
    Number(stats.gid) === belowStats.gid
  );
}

function hasSameTime({ stats, belowStats }: DirectoryEntry): boolean {
  return Number(stats.mtimeMs / 1000n) === Math.floor(belowStats.mtimeMs / 1000);
}

function hasSameXattrs({ location, belowLocation }: DirectoryEntry): boolean {
  return Bun.deepEquals(ownXattrs(location), ownXattrs(belowLocation));
}

/** All but overlayfs's, by name; undefined when the directory has gone meanwhile. */
function ownXattrs(location: Buffer): Readonly<Record<string, string | undefined>> | undefined {
  return unlessGone(() => {
    const names = listXattrs(location).filter((name) => !name.startsWith("trusted.overlay."));
    return Object.fromEntries(names.map((name) => [name, getXattr(location, name)?.toString("latin1")]));
  });
}
