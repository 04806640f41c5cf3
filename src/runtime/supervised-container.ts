import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { ConflictError, errorCode } from "#errors/errors.ts";
import { isAlive } from "#sys/process-info.ts";
import { watchDirectory } from "#sys/watch-file.ts";
import { type BundleFiles, type BundleRecord, signalProcess } from "./bundle-files.ts";
import type { ContainerExit } from "./container-runtime.ts";
import type { LowLevelRuntime } from "./oci/low-level-runtime.ts";

const SIGKILL = 9;
const CONTROL = "ctl";
const OOM = "oom";
/** Milliseconds after an event at which a conmon that seems alive is looked at again. */
const RECHECK_DELAYS: readonly number[] = [1, 4, 15, 80, 400, 2000];
/** Milliseconds after a look that failed. */
const RETRY_DELAY = 500;

/** What conmon left in the exit directory; undefined when it left nothing. */
export function readExitFile(exitDirectory: string, id: string, files: BundleFiles): ContainerExit | undefined {
  const path = join(exitDirectory, id);
  try {
    const exitCode = Number.parseInt(readFileSync(path, "utf8"), 10);
    return { id, exitCode, finishedAt: Math.round(statSync(path).mtimeMs), oomKilled: existsSync(files.oom) };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** A container that was created. */
export interface SupervisedBundle {
  readonly files: BundleFiles;
  readonly record: BundleRecord;
  readonly runtime: LowLevelRuntime;
}

export interface SupervisionOptions {
  readonly exitDirectory: string;
  /** Ends what is left of the container when its conmon is gone. */
  readonly killLeftovers: () => void;
  /** The kernel has killed a process of it for want of memory, the first time. */
  readonly onOom: () => void;
}

/**
 * A container under a living conmon. Its end is conmon's end: when conmon exits, or is killed, the kernel closes the control FIFO that
 * it holds open in the bundle, and inotify says so. By then conmon has written all output and the exit file.
 */
export class SupervisedContainer {
  readonly files: BundleFiles;
  readonly record: BundleRecord;
  readonly runtime: LowLevelRuntime;
  readonly #surroundings: SupervisionOptions;
  readonly #watch: Disposable;
  readonly #ended = Promise.withResolvers<ContainerExit>();
  readonly #dying = new AbortController();
  #hasEnded = false;
  #hasOom: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ files, record, runtime }: SupervisedBundle, surroundings: SupervisionOptions) {
    this.files = files;
    this.record = record;
    this.runtime = runtime;
    this.#surroundings = surroundings;
    this.#hasOom = existsSync(files.oom);
    this.#watch = watchDirectory(files.directory, (name) => {
      if (name === CONTROL) this.#look();
      // Made by conmon, which the cgroup notifies.
      if (name === OOM) this.#noteOom();
    });
    // It may have ended before the watch was there.
    queueMicrotask(() => this.#look());
  }

  get id(): string {
    return this.files.id;
  }

  /** Resolves once, when the container and its conmon have ended. Never rejects. */
  get ended(): Promise<ContainerExit> {
    return this.#ended.promise;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Aborted when it is killed or has ended: nobody may hold its processes any more. The reason is a ConflictError. */
  get dying(): AbortSignal {
    return this.#dying.signal;
  }

  kill(signal: number): boolean {
    if (signal === SIGKILL) this.#die();
    return signalProcess(this.record.container, signal);
  }

  /** Throws ConflictError, in Docker's words, when it has ended or is being killed. */
  checkRuns(cause?: unknown): void {
    if (this.#dying.signal.aborted || !isAlive(this.record.container)) throw this.#notRunning(cause);
  }

  /** Does something to its processes. When they end in the middle and it fails, that is a ConflictError, whatever was said of it. */
  async whileItRuns(call: () => Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.checkRuns(error);
      throw error;
    }
  }

  /** Stops watching; `ended` then stays open. */
  release(): void {
    clearTimeout(this.#timer);
    this.#watch[Symbol.dispose]();
  }

  /** Made and closed are two events of one kill. */
  #noteOom(): void {
    if (this.#hasOom || this.#hasEnded) return;
    this.#hasOom = true;
    this.#surroundings.onOom();
  }

  #look(again: readonly number[] = RECHECK_DELAYS): void {
    if (this.#hasEnded) return;
    try {
      this.#judge(again);
    } catch {
      // No descriptor is free, or no memory: that must not hide its end for ever.
      this.#lookLater([RETRY_DELAY, ...again]);
    }
  }

  #judge(again: readonly number[]): void {
    // In this order: a conmon that was gone before the exit file was looked for has written it, or never will.
    const isSupervised = isAlive(this.record.conmon);
    const exit = readExitFile(this.#surroundings.exitDirectory, this.id, this.files);
    if (exit) this.#end(exit);
    else if (!isSupervised) this.#end(this.#loseContainer());
    else this.#lookLater(again);
  }

  /** A process that was killed closes its files some moments before /proc shows it dead: one event, and a few looks after it. */
  #lookLater([delay, ...rest]: readonly number[]): void {
    clearTimeout(this.#timer);
    if (delay !== undefined) this.#timer = setTimeout(() => this.#look(rest), delay);
  }

  #die(): void {
    this.#dying.abort(this.#notRunning());
  }

  #notRunning(cause?: unknown): ConflictError {
    return new ConflictError(`container ${this.id} is not running`, { cause });
  }

  #end(exit: ContainerExit): void {
    this.#hasEnded = true;
    this.#die();
    this.release();
    this.#ended.resolve(exit);
  }

  /** Nobody reads the container's output any more, and nobody learned its exit code: it cannot go on. */
  #loseContainer(): ContainerExit {
    this.kill(SIGKILL);
    this.#surroundings.killLeftovers();
    return { id: this.id, exitCode: 128 + SIGKILL, finishedAt: Date.now(), oomKilled: false, lost: true };
  }
}

/** Forgets how a container of an earlier run ended. */
export function removeExitFile(exitDirectory: string, id: string): void {
  rmSync(join(exitDirectory, id), { force: true });
}
