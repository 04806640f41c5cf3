import { InvalidParameterError } from "#errors/errors.ts";
import { tarName } from "#formats/tar/tar-entry.ts";
import type { CopyStep } from "../../graph/graph-types.ts";
import type { LayerPlan } from "../layer-plan.ts";
import type { Owner } from "../owner.ts";
import { childPath, type FileTree, parentPath, type TreeNode } from "../trees/file-tree.ts";
import { resolveLinks } from "../trees/resolve-links.ts";
import { selectedFiles } from "../trees/tree-filter.ts";
import { applyMode } from "./file-mode.ts";
import type { Selection } from "./select-sources.ts";

export interface CopyOptions {
  /** `--chown`; undefined: owners as in the source. */
  readonly owner: Owner | undefined;
  /** `--chmod`, "" for none. */
  readonly chmod: string;
  /** Of everything, seconds; undefined: as in the source. */
  readonly mtime?: number | undefined;
}

/**
 * Puts one source of a COPY into the plan by the rules of BuildKit's copy (`fsutil/copy`): the content of a directory goes into
 * the destination; a file goes into a destination that is a directory or ends in "/", else it becomes the destination; links
 * in the destination are followed; missing directories above are made.
 */
export function planCopy(
  plan: LayerPlan,
  tree: FileTree,
  selection: Selection,
  step: Pick<CopyStep, "destination">,
  options: CopyOptions,
): void {
  const destination = prepareDestination(plan, step.destination, options.owner);
  if (selection.node.type === "directory") {
    const there = plan.lstat(destination);
    if (there && there.type !== "directory")
      throw new InvalidParameterError(`cannot copy to non-directory: /${destination}`);
    plan.makeDirectories(destination, options.owner);
    copyContents(plan, tree, selection, destination, options);
    return;
  }
  const target = fileTarget(plan, destination, selection.name, options.owner);
  copyFile(plan, tree, selection.path, target, selection.node, options);
}

/** Puts a heredoc's file into the plan, root's and 0644 unless the options say otherwise. */
export function planInlineFile(
  plan: LayerPlan,
  file: { readonly name: string; readonly content: string },
  step: Pick<CopyStep, "destination">,
  options: CopyOptions,
): void {
  const destination = prepareDestination(plan, step.destination, options.owner);
  const target = fileTarget(plan, destination, tarName(file.name), options.owner);
  const bytes = Buffer.from(file.content, "utf8");
  const blank = { linkname: "", major: 0, minor: 0, mtime: 0, uid: 0, gid: 0 };
  const node: TreeNode = { ...blank, type: "file", mode: 0o644, size: bytes.length };
  plan.putFile(target, { node: adjusted(node, options), content: { kind: "bytes", bytes } });
}

/** The destination with links followed, and the directory that it names, or that holds it, made. */
function prepareDestination(plan: LayerPlan, destination: string, owner: Owner | undefined): string {
  const path = tarName(destination);
  const directory = path.endsWith("/") ? path : parentPath(path.slice(1));
  plan.makeDirectories(resolveLinks(plan, directory), owner);
  return resolveLinks(plan, path);
}

function fileTarget(plan: LayerPlan, destination: string, name: string, owner: Owner | undefined): string {
  const target = plan.lstat(destination)?.type === "directory" ? childPath(destination, name) : destination;
  plan.makeDirectories(parentPath(target), owner);
  return target;
}

function copyContents(
  plan: LayerPlan,
  tree: FileTree,
  selection: Selection,
  target: string,
  options: CopyOptions,
): void {
  const prefixLength = selection.path === "" ? 0 : selection.path.length + 1;
  for (const { path, node, isPassage } of selectedFiles(tree, selection)) {
    const place = childPath(target, path.slice(prefixLength));
    if (isPassage && plan.lstat(place)?.type === "directory") continue;
    if (node.type === "directory") plan.putDirectory(place, { node: adjusted(node, options) });
    else copyFile(plan, tree, path, place, node, options);
  }
}

function copyFile(
  plan: LayerPlan,
  tree: FileTree,
  path: string,
  target: string,
  node: TreeNode,
  options: CopyOptions,
): void {
  plan.putFile(target, { node: adjusted(node, options), content: { kind: "tree", tree, path, node } });
}

function adjusted(node: TreeNode, { owner, chmod, mtime }: CopyOptions): TreeNode {
  if (!owner && chmod === "" && mtime === undefined) return node;
  const keepsMode = chmod === "" || node.type === "symlink";
  const mode = keepsMode ? node.mode : applyMode(chmod, node.mode, node.type === "directory");
  return { ...node, ...owner, mode, mtime: mtime ?? node.mtime };
}
