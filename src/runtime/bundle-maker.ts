import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { RootDirectory } from "#sys/beneath.ts";
import { DEFAULT_SHM_SIZE } from "./bundle/mounts.ts";
import type { NamespaceContext } from "./bundle/namespaces.ts";
import { makeRuntimeConfig, serialiseConfig } from "./bundle/oci-spec.ts";
import { SeccompProfiles } from "./bundle/seccomp.ts";
import { BundleFiles, readIfThere } from "./bundle-files.ts";
import { applyEdits } from "./cdi/apply-edits.ts";
import type { DeviceCatalog } from "./cdi/device-catalog.ts";
import type { ContainerSpec } from "./container-runtime.ts";
import { type HostFacts, readHostFacts } from "./host-facts.ts";
import type { RuntimeProgram } from "./oci/program.ts";
import { checkRootfs, resolveUserIn } from "./rootfs-preflight.ts";
import { mountSharedMemory } from "./shared-memory.ts";

export interface BundleMakerOptions {
  /** Absolute path in the cgroup tree below which each container gets its own. */
  readonly cgroupParent: string;
  readonly bundleDirectory: string;
  readonly devices: Pick<DeviceCatalog, "edits">;
  readonly pidOf: NamespaceContext["pidOf"];
}

/** Turns specs into bundles on disk. */
export class BundleMaker {
  readonly host: HostFacts = readHostFacts();
  readonly #options: BundleMakerOptions;
  readonly #seccomp = new SeccompProfiles();

  constructor(options: BundleMakerOptions) {
    this.#options = options;
  }

  /** A container's cgroup, absolute in the tree. One that has another parent than the engine's says so in its bundle. */
  cgroupsPath(id: string): string {
    const own = readIfThere(new BundleFiles(this.#options.bundleDirectory, id).cgroupParent);
    return join(own ?? this.#options.cgroupParent, id);
  }

  /**
   * Checks the root, resolves the user in it and writes the bundle. Throws InvalidParameterError with Docker's words; for devices of CDI
   * what the catalog throws.
   */
  write(spec: ContainerSpec, files: BundleFiles, { supportsTime }: Pick<RuntimeProgram, "supportsTime">): void {
    const edits = spec.cdiDevices?.length ? this.#options.devices.edits(spec.cdiDevices) : undefined;
    using root = new RootDirectory(spec.rootfs);
    const destinations = [
      ...spec.mounts.map((mount) => mount.destination),
      ...Object.keys(spec.tmpfs ?? {}),
      ...(edits?.mounts ?? []).map(({ containerPath }) => containerPath),
    ];
    checkRootfs(root, destinations);
    mkdirSync(files.directory, { recursive: true, mode: 0o700 });
    chmodSync(files.directory, 0o700);
    // Absolute and normal: no ".." leads out of the tree.
    if (spec.cgroupParent) writeFileSync(files.cgroupParent, normalize(join("/", spec.cgroupParent)), { mode: 0o600 });
    if (spec.ipcMode === "shareable") mountSharedMemory(files, spec.shmSize || DEFAULT_SHM_SIZE);
    const config = makeRuntimeConfig(spec, {
      pidOf: this.#options.pidOf,
      supportsTime,
      sharedMemoryOf: (id) => {
        const { sharedMemory } = new BundleFiles(this.#options.bundleDirectory, id);
        return existsSync(sharedMemory) ? sharedMemory : undefined;
      },
      isCgroup2: this.host.isCgroup2,
      host: this.host,
      seccomp: this.#seccomp,
      user: resolveUserIn(root, spec.user, spec.groupAdd ?? []),
      cgroupsPath: this.cgroupsPath(spec.id),
    });
    // Not durable on purpose: a bundle means nothing after a reboot (bundle-files.ts).
    writeFileSync(files.config, serialiseConfig(edits ? applyEdits(config, edits) : config), { mode: 0o600 });
  }
}
