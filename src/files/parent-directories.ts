import { chownSync, mkdirSync } from "node:fs";
import { posix } from "node:path";
import { errorCode, InvalidParameterError } from "#errors/errors.ts";
import { tarText } from "#formats/tar/tar-entry.ts";
import { entryAt, fileAt } from "#sys/by-descriptor.ts";
import type { ContainerTree, Place } from "./container-tree.ts";
import { checkWritable } from "./writable.ts";

/** The directories that an archive's entries go into. The last one is held open: most entries follow their siblings. */
export class ParentDirectories implements Disposable {
  readonly #tree: ContainerTree;
  readonly #readonlyRoot: boolean;
  #last: { readonly path: string; readonly place: Place } | undefined;

  constructor(tree: ContainerTree, readonlyRoot: boolean) {
    this.#tree = tree;
    this.#readonlyRoot = readonlyRoot;
  }

  /** Opens the directory, made with what lacks above it (0755, root's, as Docker). Valid until the next call. Throws InvalidParameterError. */
  open(path: string): Place {
    if (this.#last?.path === path) return this.#last.place;
    this[Symbol.dispose]();
    const place = this.#ensure(path);
    this.#last = { path, place };
    return place;
  }

  [Symbol.dispose](): void {
    this.#last?.place[Symbol.dispose]();
    this.#last = undefined;
  }

  #ensure(path: string): Place {
    const found = this.#tree.find(path);
    if (found) {
      if (found.stats.isDirectory()) {
        checkWritable(found, this.#readonlyRoot);
        return found;
      }
      found[Symbol.dispose]();
      throw new InvalidParameterError(`mkdir ${tarText(path)}: not a directory`);
    }
    using parent = this.#ensure(posix.dirname(path));
    const name = posix.basename(path);
    try {
      mkdirSync(entryAt(parent.descriptor, name), 0o755);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      // A link that leads nowhere, or that somebody put there just now.
      throw new InvalidParameterError(`mkdir ${tarText(path)}: file exists`);
    }
    const made = this.#tree.child(parent, name);
    if (!made?.stats.isDirectory()) {
      made?.[Symbol.dispose]();
      throw new InvalidParameterError(`mkdir ${tarText(path)}: not a directory`);
    }
    chownSync(fileAt(made.descriptor), 0, 0);
    return made;
  }
}
