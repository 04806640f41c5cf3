import { renameSync, rmSync, statSync } from "node:fs";
import { watchFile } from "#sys/watch-file.ts";
import { compressedPath, compressFile, removeCompressed } from "./compression.ts";
import { generationPath } from "./generations.ts";

/** What Berth keeps of a container's output unless told otherwise. */
export const DEFAULT_ROTATION: RotationOptions = { maxSize: 10 * 1024 * 1024, maxFile: 3, compress: false };

/** Faster than any container writes (bytes a millisecond): how long a log of a given size surely stays below its limit. */
const FASTEST_WRITER = 200 * 1024;
/** Milliseconds. Looking more often would wake the engine for each line of a busy container. */
const SHORTEST_PAUSE = 20;
const LONGEST_PAUSE = 1000;

export interface RotationOptions {
  /** Bytes at which a file is put aside. */
  readonly maxSize: number;
  /** Files in all, the current one included; with 1 the output beyond `maxSize` is dropped. */
  readonly maxFile: number;
  /** Pack the files that were put aside. */
  readonly compress: boolean;
}

/**
 * Keeps the logs of running containers below their limits. conmon's own `--log-size-max` truncates the file and loses it, so Berth
 * renames the files and tells conmon to open a new one. Woken by the kernel when a log grows; after each look it rests as long as the
 * log cannot have reached its limit.
 */
export class LogRotator {
  readonly #reopen: (id: string) => boolean;
  readonly #logs = new Map<string, RotatedLog>();

  /** `reopen` makes conmon open the log's path anew; false when there is no conmon any more (ConmonRuntime.reopenLog). */
  constructor(reopen: (id: string) => boolean) {
    this.#reopen = reopen;
  }

  /** Watches a container's log from now on. The file must exist: call it after `create` or `adopt`. */
  watch(id: string, path: string, options: RotationOptions = DEFAULT_ROTATION): void {
    this.unwatch(id);
    this.#logs.set(id, new RotatedLog(path, options, () => this.#reopen(id)));
  }

  unwatch(id: string): void {
    this.#logs.get(id)?.close();
    this.#logs.delete(id);
  }

  close(): void {
    for (const id of [...this.#logs.keys()]) this.unwatch(id);
  }
}

class RotatedLog {
  readonly #path: string;
  readonly #options: RotationOptions;
  readonly #reopen: () => boolean;
  #watch: Disposable | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasRotated = false;
  #compression = Promise.resolve();

  constructor(path: string, options: RotationOptions, reopen: () => boolean) {
    this.#path = path;
    this.#options = options;
    this.#reopen = reopen;
    this.#look();
  }

  close(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** A log that cannot be rotated (no room for one more name) grows on, and is looked at again. */
  #look(): void {
    this.close();
    try {
      this.#rotateIfFull();
    } catch {
      this.#lookIn(LONGEST_PAUSE);
    }
  }

  #rotateIfFull(): void {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size;
    if (size === undefined) {
      // conmon is about to make it.
      this.#lookIn(SHORTEST_PAUSE);
    } else if (size < this.#options.maxSize) {
      this.#await(size);
      if (this.#hasRotated) this.#compress();
    } else {
      rotateFiles(this.#path, this.#options.maxFile);
      this.#hasRotated = this.#options.compress;
      if (this.#reopen()) this.#lookIn(SHORTEST_PAUSE);
    }
  }

  /** conmon has made the new file: it writes to the one before no more. */
  #compress(): void {
    this.#hasRotated = false;
    const { maxFile } = this.#options;
    const find = (inode: bigint): string | undefined =>
      rotatedPaths(this.#path, maxFile).find(
        (path) => statSync(path, { bigint: true, throwIfNoEntry: false })?.ino === inode,
      );
    for (const path of rotatedPaths(this.#path, maxFile)) {
      // One that cannot be packed stays as it is; it is as good.
      this.#compression = this.#compression.then(() => compressFile(path, find)).catch(() => undefined);
    }
  }

  /** The next write wakes us; then there is time until the rest is used up. */
  #await(size: number): void {
    const rest = (this.#options.maxSize - size) / FASTEST_WRITER;
    const pause = Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, rest));
    this.#watch = watchFile(this.#path, () => {
      this.close();
      this.#lookIn(pause);
    });
  }

  #lookIn(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#look(), milliseconds);
    this.#timer.unref();
  }
}

/**
 * Moves each file of a log one place back; the oldest goes. Synchronous, so that a reader in this process never sees half of it. conmon
 * writes on to the file that it has open, whatever its name, until it is told to reopen.
 */
export function rotateFiles(path: string, maxFile: number): void {
  const oldest = Math.max(1, maxFile - 1);
  for (let age = oldest - 1; age >= 0; age--) {
    const [from, to] = [generationPath(path, age), generationPath(path, age + 1)];
    removeCompressed(to);
    renameIfThere(from, to);
    if (age > 0 && renameIfThere(compressedPath(from), compressedPath(to))) rmSync(to, { force: true });
  }
  if (maxFile <= 1) rmSync(generationPath(path, 1), { force: true });
}

/** The files that were put aside, newest first. */
function rotatedPaths(path: string, maxFile: number): string[] {
  return Array.from({ length: Math.max(0, maxFile - 1) }, (_, index) => generationPath(path, index + 1));
}

function renameIfThere(from: string, to: string): boolean {
  const isThere = statSync(from, { throwIfNoEntry: false }) !== undefined;
  if (isThere) renameSync(from, to);
  return isThere;
}
