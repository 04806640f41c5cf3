import type { ContextEntryLine } from "#spec/berth-api.ts";
import { readWhole } from "./send.ts";
import type { Walk } from "./walk.ts";

/** What changed within this time is probably what the engine has not got. */
const RECENT_MS = 5 * 60_000;
/** More than this is sent only when it is asked for. */
const MAX_BYTES = 64 * 1024;
/** What opening and reading a file costs, as bytes that could be sent meanwhile. */
const FILE_BYTES = 1024;

/**
 * The entries of a walk, those files that changed lately with their contents: a build after a change is one request then, and no question
 * what is missing. Also where the content is known: a file that changed just before the last build has to be sent once more, for its times
 * could not vouch for it (see the engine's context store). Many or large ones are left to the question. A file that is being changed is left
 * as it is.
 */
export function withRecentContents(directory: string, { began, entries }: Walk): readonly ContextEntryLine[] {
  const recent = new Set<ContextEntryLine>();
  let bytes = 0;
  for (const entry of entries) {
    if (entry.t !== "f" || entry.ct < began - RECENT_MS) continue;
    bytes += entry.s + FILE_BYTES;
    if (bytes > MAX_BYTES) return entries;
    recent.add(entry);
  }
  if (recent.size === 0) return entries;
  return entries.map((entry) => {
    const content = recent.has(entry) ? readWhole(directory, entry) : undefined;
    return content ? { ...entry, c: content.toString("base64") } : entry;
  });
}
