/** Lines around a change. */
const CONTEXT = 3;

/** Lines `start` to `end` (1-based, inclusive; `end` = `start` - 1 inserts before `start`) become `lines`. */
export interface LineEdit {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

/** The lines with all edits done. Edits do not overlap. */
export function applyEdits(lines: readonly string[], edits: readonly LineEdit[]): string[] {
  const result = [...lines];
  for (const { start, end, lines: added } of edits.toSorted((a, b) => b.start - a.start || b.end - a.end)) {
    result.splice(start - 1, end - start + 1, ...added);
  }
  return result;
}

/** The edits as `diff -u` prints them; "" without edits. */
export function unifiedDiff(name: string, lines: readonly string[], edits: readonly LineEdit[]): string {
  if (edits.length === 0) return "";
  const sorted = edits.toSorted((a, b) => a.start - b.start);
  const output = [`--- ${name}`, `+++ ${name}`];
  let shift = 0;
  for (const group of hunks(sorted)) {
    const first = Math.max(1, (group[0]?.start ?? 1) - CONTEXT);
    const last = Math.min(lines.length, (group.at(-1)?.end ?? 1) + CONTEXT);
    const body: string[] = [];
    let [removed, added, at] = [0, 0, first];
    for (const edit of group) {
      for (; at < edit.start; at++) body.push(` ${lines[at - 1] ?? ""}`);
      for (; at <= edit.end; at++, removed++) body.push(`-${lines[at - 1] ?? ""}`);
      for (const line of edit.lines) body.push(`+${line}`);
      added += edit.lines.length;
    }
    for (; at <= last; at++) body.push(` ${lines[at - 1] ?? ""}`);
    const length = last - first + 1;
    output.push(`@@ -${first},${length} +${first + shift},${length - removed + added} @@`, ...body);
    shift += added - removed;
  }
  return `${output.join("\n")}\n`;
}

/** Edits whose surroundings touch are one hunk. */
function hunks(edits: readonly LineEdit[]): LineEdit[][] {
  const groups: LineEdit[][] = [];
  for (const edit of edits) {
    const open = groups.at(-1);
    const isNear = open !== undefined && edit.start - (open.at(-1)?.end ?? 0) <= 2 * CONTEXT + 1;
    if (isNear) open.push(edit);
    else groups.push([edit]);
  }
  return groups;
}
