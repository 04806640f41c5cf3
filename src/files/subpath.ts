import { closeSync, fstatSync, mkdirSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InvalidParameterError } from "#errors/errors.ts";
import { RootDirectory } from "#sys/beneath.ts";
import { fileAt } from "#sys/by-descriptor.ts";
import { SystemCallError } from "#sys/libc.ts";
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

  /**
   * Opens what lies at `subpath` in a directory; links are followed as long as they stay inside it. Throws InvalidParameterError in Docker's words when it is
   * not there, and when a link leads out or is absolute.
   */
  open(directory: string, subpath: string): HeldPath {
    const held = this.#open(directory, subpath, () => {
      throw new InvalidParameterError(
        `path concatenation escapes the base directory, base: ${directory}, subpath: ${subpath}`,
      );
    });
    if (held) return held;
    throw new InvalidParameterError(`cannot access path ${directory}/${subpath}: no such file or directory`);
  }

  /** As `open`, but undefined when there is nothing inside the directory. */
  openIfThere(directory: string, subpath: string): HeldPath | undefined {
    return this.#open(directory, subpath, () => undefined);
  }

  #open(directory: string, subpath: string, whenOutside: () => undefined): HeldPath | undefined {
    using root = new RootDirectory(directory);
    let descriptor: number | undefined;
    try {
      descriptor = root.openBeneath(subpath, O_PATH);
    } catch (error) {
      if (!(error instanceof SystemCallError && error.errno === "EXDEV")) throw error;
      return whenOutside();
    }
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
