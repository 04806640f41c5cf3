import { readdirSync, readlinkSync } from "node:fs";
import type { UpperEntry } from "./upper-walk.ts";

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
 * Leaves out the empty files and directories that only exist because something was mounted on them: the container never saw them, and
 * they are no change of its own. Docker hides them in an extra layer below the writable one. So are the directories that were only copied up to put
 * one in: overlayfs counts them as changed, the container changed nothing in them. `times`: a directory with another time is a change.
 */
export function* withoutMountStubs(
  entries: Iterable<UpperEntry>,
  { times }: { readonly times: boolean },
): Generator<UpperEntry, void, void> {
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
      held = isUnchangedDirectory(entry, times) ? entry : undefined;
      sawStub = false;
      if (!held) yield entry;
    }
  }
  if (held && !sawStub) yield held;
}

/** Whether all that may have changed of a directory is its time, or not even that as far as a layer can tell: in seconds. */
function isUnchangedDirectory(entry: UpperEntry, times: boolean): boolean {
  if (entry.kind === "deleted" || entry.below !== "directory" || entry.opaque || !entry.belowStats) return false;
  const { stats, belowStats } = entry;
  return (
    Number(stats.mode) === belowStats.mode &&
    Number(stats.uid) === belowStats.uid &&
    Number(stats.gid) === belowStats.gid &&
    (!times || Number(stats.mtimeMs / 1000n) === Math.floor(belowStats.mtimeMs / 1000))
  );
}
