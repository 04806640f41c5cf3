import { closeSync, fstatSync, mkdirSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InvalidParameterError } from "#errors/errors.ts";
import { RootDirectory } from "#sys/beneath.ts";
import { fileAt } from "#sys/by-descriptor.ts";
import { unmount } from "#sys/mounts/mount.ts";
import { mountByOptions } from "#sys/mounts/mount-by-options.ts";
import { unmountAllBelow } from "#sys/mounts/private-tmpfs.ts";
import { O_PATH } from "#sys/open-flags.ts";

/** A path that leads to what was opened, whatever its own names lead to by now. */
export interface HeldPath extends AsyncDisposable {
  readonly path: string;
}

/**
 * Parts of volumes and images, for mounts that show no more than that. Containers that share a volume may swap a directory for a link until it is mounted. So
 * the part is opened inside the volume, and what was opened is bound to a place of our own, for the runtime to find: it cannot mount from another
 * namespace's descriptor.
 */
export class Subpaths {
  readonly #directory: string;
  #count = 0;

  /** Places lie below `directory`, made when needed; nothing else may be there. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Opens what lies at `subpath` in a directory, links followed inside it. Throws InvalidParameterError when it is not there. */
  open(directory: string, subpath: string): HeldPath {
    const held = this.openIfThere(directory, subpath);
    if (held) return held;
    throw new InvalidParameterError(`cannot access path ${directory}/${subpath}: no such file or directory`);
  }

  /** As `open`, but undefined when there is nothing. */
  openIfThere(directory: string, subpath: string): HeldPath | undefined {
    using root = new RootDirectory(directory);
    const descriptor = root.open(subpath, O_PATH);
    if (descriptor === undefined) return undefined;
    try {
      return this.#bind(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Takes away what a crash left. Call once, before the directory may be removed. */
  async sweep(): Promise<void> {
    await unmountAllBelow(this.#directory);
  }

  #bind(descriptor: number): HeldPath {
    const path = join(this.#directory, String(this.#count++));
    const isDirectory = fstatSync(descriptor).isDirectory();
    mkdirSync(isDirectory ? path : this.#directory, { recursive: true, mode: 0o700 });
    if (!isDirectory) writeFileSync(path, "", { mode: 0o600 });
    const remove = (): void => (isDirectory ? rmdirSync(path) : unlinkSync(path));
    try {
      mountByOptions({ source: fileAt(descriptor), target: path, type: "none", options: "rbind,rprivate" });
    } catch (error) {
      remove();
      throw error;
    }
    const dispose = async (): Promise<void> => {
      await unmount(path);
      // Neither call removes what is mounted there, should that still be so.
      remove();
    };
    return { path, [Symbol.asyncDispose]: dispose };
  }
}
