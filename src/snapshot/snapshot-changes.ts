import { tarText } from "#formats/tar/tar-entry.ts";
import { TimeSlice } from "#lib/time-slice.ts";
import type { SnapshotChange } from "./snapshotter.ts";
import type { UpperEntry } from "./upper-walk.ts";

/** The lines of `container diff`. A directory counts as modified when anything in it is: overlayfs copies it up then. */
export async function snapshotChanges(entries: Iterable<UpperEntry>): Promise<readonly SnapshotChange[]> {
  const changes: SnapshotChange[] = [];
  const slice = new TimeSlice();
  for (const entry of entries) {
    if (slice.isOver()) await slice.next();
    changes.push({ kind: kindOf(entry), path: `/${tarText(entry.path)}` });
  }
  return changes;
}

function kindOf(entry: UpperEntry): SnapshotChange["kind"] {
  if (entry.kind === "deleted") return "deleted";
  return entry.below === "nothing" ? "added" : "modified";
}
