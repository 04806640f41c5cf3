import { InvalidParameterError } from "#errors/errors.ts";
import { type TarEntry, tarName } from "#formats/tar/tar-entry.ts";
import type { CopyStep } from "../../graph/graph-types.ts";
import type { LayerPlan } from "../layer-plan.ts";
import type { Owner } from "../owner.ts";
import type { ArchiveFile } from "../trees/archive-file.ts";
import { baseName, childPath, parentPath, type TreeNode } from "../trees/file-tree.ts";
import { resolveLinks } from "../trees/resolve-links.ts";
import { cleanPath } from "./select-sources.ts";

/**
 * Puts the content of an archive into the plan, below the destination of ADD. Names are clamped to the destination; links in
 * their directories are followed inside the image, never on the host. Owners are the archive's unless `owner` is given.
 */
export function planArchive(
  plan: LayerPlan,
  archive: ArchiveFile,
  step: Pick<CopyStep, "destination" | "mtime">,
  owner: Owner | undefined,
): void {
  const destination = resolveLinks(plan, tarName(step.destination));
  plan.makeDirectories(destination, owner);
  for (const entry of archive.entries) {
    const path = cleanPath(entry.path);
    if (path === "") continue;
    const target = placeOf(plan, destination, path);
    plan.makeDirectories(parentPath(target), owner);
    if (entry.type === "hardlink") plan.putHardLink(target, placeOf(plan, destination, cleanPath(entry.linkPath)));
    else putEntry(plan, target, withTime(entry, step.mtime), archive, owner);
  }
}

function withTime(entry: TarEntry, mtime: number | undefined): TarEntry {
  return mtime === undefined ? entry : { ...entry, mtime: { seconds: mtime, nanoseconds: 0 } };
}

/** The last component is taken as it stands: an entry replaces a link, it does not write through it. */
function placeOf(plan: LayerPlan, destination: string, path: string): string {
  const directory = resolveLinks(plan, childPath(destination, parentPath(path)));
  return childPath(directory, baseName(path));
}

function putEntry(
  plan: LayerPlan,
  target: string,
  entry: TarEntry,
  archive: ArchiveFile,
  owner: Owner | undefined,
): void {
  if (entry.sparse) throw new InvalidParameterError(`cannot unpack the sparse file "${entry.path}"`);
  const node: TreeNode = {
    type: entry.type === "hardlink" ? "file" : entry.type,
    mode: entry.mode & 0o7777,
    uid: owner?.uid ?? entry.uid,
    gid: owner?.gid ?? entry.gid,
    size: entry.type === "file" ? entry.size : 0,
    mtime: entry.mtime.seconds,
    linkname: entry.linkPath,
    major: entry.major,
    minor: entry.minor,
  };
  // tar lets a directory be a link to one that is there already.
  if (entry.type === "directory") plan.putDirectory(resolveLinks(plan, target), node);
  else plan.putFile(target, { node, content: { kind: "archive", archive, entry } });
}
