import { rmdirSync, unlinkSync } from "node:fs";
import { errorCode, SystemError } from "#errors/errors.ts";
import { tarText } from "#formats/tar/tar-entry.ts";
import { entryAt } from "#sys/by-descriptor.ts";
import type { ContainerTree, Place } from "./container-tree.ts";

/** rm -r of one entry of a directory of a container; links are removed, not followed. Throws SystemError at a mount, as rm does. */
export function removeTree(tree: ContainerTree, parent: Place, name: string): void {
  using place = tree.child(parent, name);
  if (!place) return;
  if (place.mount !== parent.mount) throw new SystemError(`unlinkat ${tarText(place.path)}: device or resource busy`);
  if (place.stats.isDirectory()) {
    for (const child of tree.names(place)) removeTree(tree, place, child);
    unlessMissing(() => rmdirSync(entryAt(parent.descriptor, name)));
  } else unlessMissing(() => unlinkSync(entryAt(parent.descriptor, name)));
}

/** The container may have removed it first. */
function unlessMissing(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}
