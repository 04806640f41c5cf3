import { readdirSync } from "node:fs";
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

/**
 * Leaves out the empty files and directories that only exist because something was mounted on them: the container never saw them, and
 * they are no change of its own. Docker hides them in an extra layer below the writable one.
 */
export function* withoutMountStubs(entries: Iterable<UpperEntry>): Generator<UpperEntry, void, void> {
  for (const entry of entries) if (!isMountStub(entry)) yield entry;
}

function isMountStub(entry: UpperEntry): boolean {
  if (entry.kind === "deleted" || entry.below !== "nothing" || !MOUNT_POINTS.has(entry.path)) return false;
  return entry.stats.isDirectory() ? readdirSync(entry.location).length === 0 : entry.stats.size === 0n;
}
