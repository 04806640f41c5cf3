import { fullGC } from "bun:jsc";
import { readFileSync, readlinkSync } from "node:fs";
import { call } from "./libc.ts";

/** https://man7.org/linux/man-pages/man2/madvise.2.html */
const MADV_DONTNEED = 4;

/**
 * Gives back what a process that is idle need not have in memory: garbage, and pages of its program. Takes a collection of the heap (8 ms
 * for an engine without containers), 2 ms, and some hundred page faults at the next work: half a millisecond of `ps`, 1.5 of `run`. Throws
 * SystemError, and what reading /proc throws.
 */
export function giveBackMemory(): void {
  // Not Bun.gc(): that forgets compiled code too.
  fullGC();
  dropProgramPages();
}

/**
 * The same for a process that is idle for long: its compiled code too, some megabytes. That is made anew as it is needed, which costs the
 * next commands about 10 ms together.
 */
export function giveBackCode(): void {
  Bun.gc(true);
  Bun.shrink();
  dropProgramPages();
}

/**
 * Takes the program's own code and constants out of this process' memory: most of them are Bun's, and only served the start. They stay in
 * the page cache, which the kernel may take back in need, and come from there page by page as they are used again, whichever thread uses
 * them. Only mappings of which this process has no page of its own: JavaScriptCore makes its configuration read-only after it has written it, and dropped
 * pages would come back as the file has them.
 */
function dropProgramPages(): void {
  const program = readlinkSync("/proc/self/exe");
  for (const { start, end } of cleanMappings(readFileSync("/proc/self/smaps", "utf8"), program)) {
    call("madvise", program, start, end - start, MADV_DONTNEED);
  }
}

interface Mapping {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/**
 * Of what smaps lists, the private mappings of the file at `path` that cannot be written and of which this process has no page of its own, in
 * memory or in swap. https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html
 */
export function cleanMappings(smaps: string, path: string): readonly Mapping[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap((text) => {
    const [, start = "", end = "", file = ""] = READ_ONLY_FILE.exec(text) ?? [];
    const isClean = /^Anonymous: +0 kB$/m.test(text) && /^Swap: +0 kB$/m.test(text);
    return file === path && isClean ? [{ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) }] : [];
  });
}

/** Addresses, access, offset, device, inode, path. */
const READ_ONLY_FILE = /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p [0-9a-f]+ \S+ [1-9]\d* +(\S.*)$/m;
