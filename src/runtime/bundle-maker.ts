import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { RootDirectory } from "#sys/beneath.ts";
import type { NamespaceContext } from "./bundle/namespaces.ts";
import { makeRuntimeConfig, serialiseConfig } from "./bundle/oci-spec.ts";
import { SeccompProfiles } from "./bundle/seccomp.ts";
import type { BundleFiles } from "./bundle-files.ts";
import type { ContainerSpec } from "./container-runtime.ts";
import { type HostFacts, readHostFacts } from "./host-facts.ts";
import { checkRootfs, resolveUserIn } from "./rootfs-preflight.ts";

export interface BundleMakerOptions {
  /** Absolute path in the cgroup tree below which each container gets its own. */
  readonly cgroupParent: string;
  readonly supportsTime: boolean;
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

  cgroupsPath(id: string): string {
    return `${this.#options.cgroupParent}/${id}`;
  }

  /** Checks the root, resolves the user in it and writes the bundle. Throws InvalidParameterError with Docker's words. */
  write(spec: ContainerSpec, files: BundleFiles): void {
    using root = new RootDirectory(spec.rootfs);
    const destinations = [...spec.mounts.map((mount) => mount.destination), ...Object.keys(spec.tmpfs ?? {})];
    checkRootfs(root, destinations);
    const config = makeRuntimeConfig(spec, {
      ...this.#options,
      isCgroup2: this.host.isCgroup2,
      host: this.host,
      seccomp: this.#seccomp,
      user: resolveUserIn(root, spec.user, spec.groupAdd ?? []),
      cgroupsPath: this.cgroupsPath(spec.id),
    });
    mkdirSync(files.directory, { recursive: true, mode: 0o700 });
    chmodSync(files.directory, 0o700);
    // Not durable on purpose: a bundle means nothing after a reboot (bundle-files.ts).
    writeFileSync(files.config, serialiseConfig(config), { mode: 0o600 });
  }
}
