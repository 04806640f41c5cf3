import { join } from "node:path";
import type { EventBus } from "#engine/events.ts";
import type { NameService } from "#engine/networks/name-records.ts";
import type { NetworkRegistry } from "#engine/networks/network-registry.ts";
import type { Subpaths } from "#files/subpath.ts";
import type { KeyLock } from "#lib/key-lock.ts";
import type { NetworkDriver } from "#network/network-driver.ts";
import type { CgroupFeatures } from "#runtime/cgroup/features.ts";
import type { ContainerRuntime } from "#runtime/container-runtime.ts";
import type { LogRotator } from "#runtime/logs/rotation.ts";
import type { SnapshotLayer, Snapshotter } from "#snapshot/snapshotter.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageConfig } from "#spec/oci-image.ts";
import type { VolumeStore } from "#volume/volume-store.ts";
import type { ContainerSettings } from "./container-settings.ts";
import type { ContainerStore } from "./container-store.ts";
import type { ExitWaiters } from "./exit-waiters.ts";
import type { EngineDirectories } from "./request/engine-directories.ts";
import type { DeviceLookup } from "./run/requested-devices.ts";

/** What the container services share. One per engine, built by the daemon. */
export interface ContainerContext {
  readonly containers: ContainerStore;
  readonly images: ImageLookup;
  readonly snapshotter: Snapshotter;
  readonly runtime: ContainerRuntime;
  /** The limits that this machine's cgroups can hold. */
  readonly features: CgroupFeatures;
  /** The devices that the host's CDI files describe. */
  readonly devices: DeviceLookup;
  readonly logRotator: LogRotator;
  readonly settings: ContainerSettings;
  readonly networks: NetworkRegistry;
  readonly networkDriver: NetworkDriver;
  /** Options of new networks that say nothing of them, by driver. */
  readonly networkDefaults: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly names: NameService;
  readonly volumes: VolumeStore;
  readonly subpaths: Subpaths;
  readonly events: EventBus;
  readonly waiters: ExitWaiters;
  /** One change at a time per container id. */
  readonly locks: KeyLock;
  /** Directories whose mounts a bind must not hold. */
  readonly directories: EngineDirectories;
  /** `<data-root>/containers`: a directory per container for its log and its /etc files. */
  readonly directory: string;
}

/** What containers need of images. */
export interface ImageLookup {
  /** Of a name's platforms the given one, else this machine's. Throws NotFoundError `No such image: x`. */
  find(name: string, platform?: string): { readonly id: Digest; readonly config: ImageConfig };
  /** Bottom first. */
  layers(id: Digest): readonly SnapshotLayer[];
  /** A container that used this image is gone: an image that was removed while it was needed goes now. Resolves with the bytes that frees. */
  release(id: Digest): Promise<number>;
}

/** The files that Berth keeps for a container outside its root filesystem. */
export interface ContainerFiles {
  readonly directory: string;
  readonly log: string;
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export function containerFiles(context: Pick<ContainerContext, "directory">, id: string): ContainerFiles {
  const directory = join(context.directory, id);
  return {
    directory,
    log: join(directory, "container.log"),
    hosts: join(directory, "hosts"),
    hostname: join(directory, "hostname"),
    resolvConf: join(directory, "resolv.conf"),
  };
}
