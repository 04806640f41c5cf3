import { basename, dirname } from "node:path";
import { errnoOf } from "#sys/libc.ts";
import { watchDirectory, watchFile } from "#sys/watch-file.ts";
import type { LogGenerations } from "./generations.ts";

/**
 * Tells when a log grew or was rotated. It takes hold of new files when they appear and not when the reader asks for them: a reader
 * that is slow still gets what rotation removes meanwhile.
 */
export class LogWatch {
  readonly #path: string;
  readonly #generations: LogGenerations;
  readonly #onChange: () => void;
  readonly #directory: Disposable;
  #file: Disposable | undefined;
  #watched: bigint | undefined;

  constructor(path: string, generations: LogGenerations, onChange: () => void) {
    this.#path = path;
    this.#generations = generations;
    this.#onChange = onChange;
    const name = basename(path);
    this.#directory = watchDirectory(dirname(path), (changed) => {
      if (changed !== name) return;
      this.update();
      onChange();
    });
  }

  /** Looks for newer files and watches the newest. Call it before each read: what was written before the watch is then seen. */
  update(): void {
    this.#generations.scan();
    const newest = this.#generations.all.at(-1)?.inode;
    if (newest === this.#watched) return;
    const file = watchIfThere(this.#path, this.#onChange);
    if (!file) return;
    this.#file?.[Symbol.dispose]();
    this.#file = file;
    this.#watched = newest;
  }

  close(): void {
    this.#directory[Symbol.dispose]();
    this.#file?.[Symbol.dispose]();
  }
}

/** The container's removal, on another thread, may take the file away at any moment. */
function watchIfThere(path: string, onChange: () => void): Disposable | undefined {
  try {
    return watchFile(path, onChange);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
