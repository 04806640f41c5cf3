import type { CopyStep } from "../graph/graph-types.ts";
import { LayerPlan } from "./layer-plan.ts";
import { resolveOwner } from "./owner.ts";
import { emptyTree } from "./trees/empty-tree.ts";
import type { TreeNode } from "./trees/file-tree.ts";
import type { RootTree } from "./trees/root-tree.ts";

/** More answers than these are not worth keeping. */
const MAX_FACTS = 500;

/**
 * All that a COPY's layer took from the root below it: what lay on the way to the destination, and the numbers of a named owner. Over every
 * root of which the same is true the same files make the same layer, so a COPY need not be done again because its base changed.
 */
export interface BaseFacts {
  /** Path below the root, latin1, and what was there; null: nothing. */
  readonly paths: readonly (readonly [path: string, node: string | null])[];
  /** `uid:gid` of `--chown`; absent without it. */
  readonly owner?: string;
}

/** The facts that `plan`, complete, was made from. Undefined when they are too many, or not all that counts. */
export function baseFacts(plan: LayerPlan, step: CopyStep, root: RootTree | undefined): BaseFacts | undefined {
  if (plan.hasFilesOfBase || plan.answers.size > MAX_FACTS) return undefined;
  const paths = [...plan.answers].map(([path, node]) => [path, describe(path, node)] as const);
  const owner = ownerOf(step, root);
  return owner === undefined ? { paths } : { paths, owner };
}

/** Whether they hold over another root. */
export function factsHold(facts: BaseFacts, step: CopyStep, root: RootTree | undefined): boolean {
  const plan = new LayerPlan(root);
  if (!facts.paths.every(([path, node]) => describe(path, plan.inBase(path)) === node)) return false;
  try {
    return ownerOf(step, root) === facts.owner;
  } catch {
    // A name that this root does not know: the step itself will say so.
    return false;
  }
}

function ownerOf(step: CopyStep, root: RootTree | undefined): string | undefined {
  if (step.chown === "") return undefined;
  const { uid, gid } = resolveOwner(step.chown, root ?? emptyTree);
  return `${uid}:${gid}`;
}

function describe(path: string, node: TreeNode | undefined): string | null {
  if (!node) return null;
  // No layer repeats the root's own metadata.
  if (path === "") return node.type;
  const { type, mode, uid, gid, mtime, linkname } = node;
  // A file in the way is replaced, whatever it is.
  return type === "directory" || type === "symlink" ? JSON.stringify([type, mode, uid, gid, mtime, linkname]) : "file";
}
