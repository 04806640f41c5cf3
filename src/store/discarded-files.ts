import { rename, rm } from "node:fs/promises";
import { errorCode } from "#errors/errors.ts";
import { temporaryPath } from "#sys/durable-file.ts";

/** Milliseconds after which the space of removed files is given back. */
const FREE_AFTER = 250;

/**
 * Files that are gone and still take space. Their blocks are given back later: a file system that discards (ext4 with `discard`) takes tens of
 * milliseconds for a large file, in which every fsync of the same file system waits, that of the remover's next transaction among them.
 */
export class DiscardedFiles {
  readonly #paths: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** Takes a file out of sight; one that is not there is no error. What a crash leaves of it has a temporary name, which a sweep at start-up removes. */
  async add(path: string): Promise<void> {
    const discarded = temporaryPath(path);
    try {
      await rename(path, discarded);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return;
      throw error;
    }
    this.#paths.push(discarded);
    // One that cannot be removed has a temporary name already: the sweep tries again.
    this.#timer ??= setTimeout(() => void this.settled().catch(() => undefined), FREE_AFTER);
  }

  /** Resolves when none takes space any more. */
  async settled(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (let path = this.#paths.shift(); path !== undefined; path = this.#paths.shift())
      await rm(path, { force: true });
  }
}
