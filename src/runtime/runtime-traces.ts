import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { killByArgument } from "#sys/find-processes.ts";
import { BundleFiles } from "./bundle-files.ts";
import { type Freezer, openFreezer } from "./cgroup/freezer.ts";
import { CGROUP_ROOT, type CgroupPlace } from "./cgroup/place.ts";
import { cgroupPids, childCgroups, emptyCgroup, killCgroup, removeEmptyCgroup } from "./cgroup/tree.ts";
import type { BundleRuntimes } from "./oci/bundle-runtimes.ts";
import { unmountSharedMemory } from "./shared-memory.ts";
import { removeExitFile } from "./supervised-container.ts";

export interface RuntimeTracesOptions {
  readonly runtimes: BundleRuntimes;
  readonly bundleDirectory: string;
  readonly exitDirectory: string;
  /** Where conmon makes its sockets. */
  readonly socketDirectory: string;
  /** The cgroup below which containers have theirs, unless they ask for another. */
  readonly cgroupParent: string;
  readonly isCgroup2: boolean;
  readonly cgroupsPath: (id: string) => string;
}

/** All that a container leaves on the machine: processes and cgroups, the runtime's state, its bundle, sockets and exit file. */
export class RuntimeTraces {
  readonly #options: RuntimeTracesOptions;

  constructor(options: RuntimeTracesOptions) {
    this.#options = options;
  }

  files(id: string): BundleFiles {
    return new BundleFiles(this.#options.bundleDirectory, id);
  }

  cgroup(id: string): CgroupPlace {
    return { root: CGROUP_ROOT, path: this.#options.cgroupsPath(id), isCgroup2: this.#options.isCgroup2 };
  }

  pids(id: string): number[] {
    return cgroupPids(this.cgroup(id));
  }

  /** Undefined when the container has no cgroup any more. The caller disposes it. */
  freezer(id: string): Freezer | undefined {
    return openFreezer(this.cgroup(id));
  }

  /** Kills every process in the container's cgroup, paused ones too: on cgroup v1 those do not notice before they may go on. */
  killAll(id: string): void {
    killCgroup(this.cgroup(id));
    using freezer = this.freezer(id);
    freezer?.thaw();
  }

  /** Removes all traces of a container whose processes have ended. */
  async remove(id: string): Promise<void> {
    const { runtimes, cgroupsPath, socketDirectory, exitDirectory } = this.#options;
    const files = this.files(id);
    const runtime = await runtimes.of(files);
    if (runtime?.has(id)) await runtime.delete(id);
    // A runtime that was killed at the wrong moment leaves a cgroup that it knows nothing of.
    else {
      removeEmptyCgroup(cgroupsPath(id));
      runtimes.forget(id);
    }
    await unmountSharedMemory(files);
    rmSync(files.directory, { recursive: true, force: true });
    rmSync(join(socketDirectory, id), { force: true });
    removeExitFile(exitDirectory, id);
  }

  /** Ends and removes everything of containers that are not in `keep`, whatever is left of them. */
  async sweep(keep: ReadonlySet<string>): Promise<void> {
    const { runtimes, bundleDirectory, exitDirectory, socketDirectory, cgroupParent } = this.#options;
    await killByArgument((argument) => dirname(argument) === bundleDirectory && !keep.has(basename(argument)));
    const directories = [bundleDirectory, exitDirectory, socketDirectory].flatMap((path) => readdirSync(path));
    const ids = new Set([...directories, ...runtimes.ids(), ...childCgroups(cgroupParent)]);
    for (const id of ids) if (!keep.has(id)) await this.#sweepOne(id);
  }

  /** What the runtime cannot delete (state that it did not finish) goes without it. */
  async #sweepOne(id: string): Promise<void> {
    this.killAll(id);
    await emptyCgroup(this.#options.cgroupsPath(id));
    await this.remove(id).catch(() => {
      this.#options.runtimes.forget(id);
      return this.remove(id);
    });
  }
}
