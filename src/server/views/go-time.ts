/** Go's zero time, which Docker shows for "never". */
export const ZERO_TIME = "0001-01-01T00:00:00Z";

/** Milliseconds since the epoch as Go's RFC3339Nano, which has no zeros at the end; 0 is never. */
export function goTime(milliseconds: number): string {
  return milliseconds === 0 ? ZERO_TIME : new Date(milliseconds).toISOString().replace(/\.?0*Z$/, "Z");
}
