import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type BerthError, errorCode } from "#errors/errors.ts";
import { fileAt } from "#sys/by-descriptor.ts";
import { O_CLOEXEC, O_PATH } from "#sys/open-flags.ts";
import { watchFile } from "#sys/watch-file.ts";
import { runtimeError } from "../runtime-errors.ts";
import { type CgroupPlace, writeCgroupFile } from "./place.ts";

/**
 * The freezer of one cgroup, and of those below it. It is the only place where anybody keeps whether a container is paused: `runc list` reads the same file.
 * Held by descriptor: a cgroup that is made at the same path later is another's, and what is asked of the one that has gone fails with ENODEV.
 */
export interface Freezer extends Disposable {
  /** Whether it was told to freeze, be all processes still by now or not. False when only a cgroup above it was. */
  isFrozen(): boolean;
  /**
   * Resolves when every process in it stands still. Throws what aborted it, SystemError when some process does not stop in time, Node's
   * system error (ENODEV) when the cgroup goes meanwhile; then nothing of it stays frozen.
   */
  freeze(signal: AbortSignal): Promise<void>;
  /** Lets the processes go on. Idempotent; nothing to do in a cgroup that has gone. */
  thaw(): void;
}

/** Undefined when there is no such cgroup. The caller disposes it. */
export function openFreezer({ root, path, isCgroup2 }: CgroupPlace): Freezer | undefined {
  const directory = isCgroup2 ? join(root, path) : join(root, "freezer", path);
  try {
    const descriptor = openSync(directory, O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
    return isCgroup2 ? new UnifiedFreezer(descriptor) : new ControllerFreezer(descriptor);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** What both versions do alike. */
abstract class OpenFreezer implements Freezer {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  abstract isFrozen(): boolean;
  protected abstract reachStillness(signal: AbortSignal): Promise<void>;
  protected abstract release(): void;

  async freeze(signal: AbortSignal): Promise<void> {
    try {
      signal.throwIfAborted();
      await this.reachStillness(signal);
    } catch (error) {
      // Half-frozen, some would wait for others for ever.
      this.thaw();
      throw error;
    }
  }

  thaw(): void {
    try {
      this.release();
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  protected path(file: string): string {
    return `${fileAt(this.#descriptor)}/${file}`;
  }

  protected read(file: string): string {
    return readFileSync(this.path(file), "utf8").trim();
  }

  protected write(file: string, value: string): void {
    writeCgroupFile(this.path(file), value);
  }
}

/** Milliseconds between the looks of one try at cgroup v1; processes that sleep are there at the first or second. */
const LOOKS: readonly number[] = [0, 0, 1, 1, 2, 4, 8, 16];
const TRIES = 30;
/** Milliseconds that processes get to go on between two tries. */
const BREATH = 10;

/**
 * cgroup v1, whose kernel tells nobody when it is done. It sends each process that it finds into the refrigerator; one that is forked or moved in at that
 * moment may be missed, and then the cgroup is FREEZING for good. So the wish is written again at each look, and from time to time all are let go for a
 * moment, as runc does. https://docs.kernel.org/admin-guide/cgroup-v1/freezer-subsystem.html, runc: libcontainer/cgroups/fs/freezer.go
 */
class ControllerFreezer extends OpenFreezer {
  isFrozen(): boolean {
    return readUnlessGone(() => this.read("freezer.self_freezing")) === "1";
  }

  protected async reachStillness(signal: AbortSignal): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      for (const delay of LOOKS) {
        this.write("freezer.state", "FROZEN");
        if (this.read("freezer.state") === "FROZEN") return;
        await sleep(delay);
        signal.throwIfAborted();
      }
      this.release();
      await sleep(BREATH);
      signal.throwIfAborted();
    }
    throw unableToFreeze();
  }

  protected release(): void {
    this.write("freezer.state", "THAWED");
  }
}

/** Milliseconds; as runc. */
const LONGEST_WAIT = 10_000;

/** cgroup v2, which tells by cgroup.events. https://docs.kernel.org/admin-guide/cgroup-v2.html (cgroup.freeze) */
class UnifiedFreezer extends OpenFreezer {
  isFrozen(): boolean {
    return readUnlessGone(() => this.read("cgroup.freeze")) === "1";
  }

  protected async reachStillness(signal: AbortSignal): Promise<void> {
    const { promise: still, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      try {
        if (/^frozen 1$/m.test(this.read("cgroup.events"))) resolve();
      } catch (error) {
        reject(error);
      }
    };
    const onAbort = (): void => reject(signal.reason);
    const timer = setTimeout(() => reject(unableToFreeze()), LONGEST_WAIT);
    signal.addEventListener("abort", onAbort);
    try {
      using _watch = watchFile(this.path("cgroup.events"), look);
      this.write("cgroup.freeze", "1");
      look();
      await still;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  protected release(): void {
    this.write("cgroup.freeze", "0");
  }
}

function unableToFreeze(): BerthError {
  return runtimeError("pause", "unable to freeze");
}

function readUnlessGone(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** ENODEV: removed while it is held open. ENOENT: a tree without that file. */
function isGone(error: unknown): boolean {
  return errorCode(error) === "ENODEV" || errorCode(error) === "ENOENT";
}
