import type { VertexStatus } from "#spec/solve-status.ts";

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Bytes in decimal units as BuildKit prints them: 177B, 3.41kB, 1.98MB. */
function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.trunc(value) : value.toFixed(2)}${UNITS[unit]}`;
}

/** `1.98MB / 3.40MB`, `177B`, or "" when nothing is counted. */
export function formatAmount({ current, total }: VertexStatus): string {
  if (total) return `${formatBytes(current)} / ${formatBytes(total)}`;
  return current ? formatBytes(current) : "";
}
