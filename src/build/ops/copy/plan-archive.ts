import { isImageXattr } from "#formats/tar/image-xattrs.ts";
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
 * https://github.com/moby/buildkit/blob/master/solver/llbsolver/file/unpack_root.go
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
    const isDirectory = entry.type === "directory";
    // tar lets a directory be a link to one that is there already.
    const target = isDirectory ? resolveLinks(plan, childPath(destination, path)) : placeOf(plan, destination, path);
    if (target === "") continue;
    plan.makeDirectories(parentPath(target), owner);
    makeWay(plan, target, isDirectory);
    const node = nodeOf(entry, owner, step.mtime);
    const xattrs = new Map([...entry.xattrs].filter(([name]) => isImageXattr(name)));
    if (isDirectory) plan.putDirectory(target, { node, xattrs });
    else if (entry.type === "hardlink")
      putLink(plan, target, placeOf(plan, destination, cleanPath(entry.linkPath)), node);
    else plan.putFile(target, { node, xattrs, content: { kind: "archive", archive, entry } });
  }
}

/** The last component is taken as it stands: an entry replaces a link, it does not write through it. */
function placeOf(plan: LayerPlan, destination: string, path: string): string {
  const directory = resolveLinks(plan, childPath(destination, parentPath(path)));
  return childPath(directory, baseName(path));
}

/** As tar: a file takes the place of a directory and of all in it, a directory that of a file. */
function makeWay(plan: LayerPlan, target: string, isDirectory: boolean): void {
  const there = plan.lstat(target);
  if (there && (there.type === "directory") !== isDirectory) plan.remove(target);
}

function putLink(plan: LayerPlan, path: string, target: string, { mode, uid, gid, mtime }: TreeNode): void {
  if (path !== target) plan.putHardLink(path, target, { mode, uid, gid, mtime });
}

function nodeOf(entry: TarEntry, owner: Owner | undefined, mtime: number | undefined): TreeNode {
  return {
    type: entry.type === "hardlink" ? "file" : entry.type,
    // Linux gives links no other.
    mode: entry.type === "symlink" ? 0o777 : entry.mode & 0o7777,
    uid: owner?.uid ?? entry.uid,
    gid: owner?.gid ?? entry.gid,
    size: entry.type === "file" ? entry.size : 0,
    mtime: mtime ?? entry.mtime.seconds,
    linkname: entry.linkPath,
    major: entry.major,
    minor: entry.minor,
  };
}
