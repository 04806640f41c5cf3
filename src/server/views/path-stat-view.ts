import type { BigIntStats } from "node:fs";
import type { PathStat } from "#engine/containers/archive.ts";

export interface PathStatView {
  readonly name: string;
  readonly size: number;
  /** Go's os.FileMode. */
  readonly mode: number;
  /** RFC 3339 with nanoseconds, no trailing zeros. */
  readonly mtime: string;
  readonly linkTarget: string;
}

/** https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Container/operation/ContainerArchiveInfo */
export function pathStatView({ name, stats, linkTarget }: PathStat): PathStatView {
  return { name, size: Number(stats.size), mode: goFileMode(stats), mtime: goTime(stats.mtimeNs), linkTarget };
}

/** https://pkg.go.dev/io/fs#FileMode: Go's bits for types and setuid, setgid, sticky, not the kernel's. */
function goFileMode(stats: BigIntStats): number {
  const mode = Number(stats.mode);
  const permissions = mode & 0o777;
  const special = (mode & 0o4000 ? 2 ** 23 : 0) + (mode & 0o2000 ? 2 ** 22 : 0) + (mode & 0o1000 ? 2 ** 20 : 0);
  return permissions + special + goFileType(stats);
}

function goFileType(stats: BigIntStats): number {
  if (stats.isDirectory()) return 2 ** 31;
  if (stats.isSymbolicLink()) return 2 ** 27;
  if (stats.isBlockDevice()) return 2 ** 26;
  if (stats.isCharacterDevice()) return 2 ** 26 + 2 ** 21;
  if (stats.isFIFO()) return 2 ** 25;
  return stats.isSocket() ? 2 ** 24 : 0;
}

function goTime(nanoseconds: bigint): string {
  const billion = 1_000_000_000n;
  const fraction = ((nanoseconds % billion) + billion) % billion;
  const seconds = new Date(Number((nanoseconds - fraction) / 1_000_000n)).toISOString().slice(0, 19);
  const digits = String(fraction).padStart(9, "0").replace(/0+$/, "");
  return `${seconds}${digits === "" ? "" : `.${digits}`}Z`;
}
