/** What the Docker Engine API says of the engine as a whole. https://docs.docker.com/reference/api/engine/version/v1.51/#tag/System */
import type { ContainerSummary } from "./docker-containers.ts";
import type { ImageDeleteItem, ImageSummary } from "./docker-images.ts";
import type { VolumeView } from "./docker-volumes.ts";

export const API_VERSION = { newest: "1.51", oldest: "1.24" } as const;

/** The newest release of Docker whose API is `API_VERSION.newest`: clients that want "Docker 20.10 or newer" compare with it. */
export const DOCKER_RELEASE = "28.5.2";

export interface BuildCacheItem {
  readonly ID: string;
  readonly Type: string;
  readonly Description: string;
  readonly InUse: boolean;
  readonly Shared: boolean;
  readonly Size: number;
  readonly CreatedAt: string;
  readonly LastUsedAt: string | null;
  readonly UsageCount: number;
  /** Spelled with the space: https://github.com/moby/moby/blob/v28.2.2/api/types/build/cache.go */
  readonly " Parents"?: readonly string[];
}

/** `GET /system/df`. */
export interface DiskUsage {
  /** Bytes on disk of the layers that images have, each once. */
  readonly LayersSize: number;
  /** Berth's own: bytes of those that only images without a container have. Docker's clients guess it from the other figures. */
  readonly LayersReclaimable?: number;
  readonly Images: readonly ImageSummary[] | null;
  readonly Containers: readonly ContainerSummary[] | null;
  readonly Volumes: readonly VolumeView[] | null;
  readonly BuildCache: readonly BuildCacheItem[] | null;
}

/** `GET /version`. */
export interface VersionInfo {
  readonly Platform: { readonly Name: string };
  readonly Components: readonly {
    readonly Name: string;
    readonly Version: string;
    readonly Details?: Readonly<Record<string, string>>;
  }[];
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion: string;
  readonly BuildTime: string;
}

/** A line of `GET /events`. */
export interface EventMessage {
  readonly Type: "container" | "image" | "network" | "volume" | "builder" | "daemon";
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: "local";
  /** Seconds, and nanoseconds, since the epoch. */
  readonly time: number;
  readonly timeNano: number;
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
}

/** Answers of the prune calls. */
export interface ContainersPruned {
  readonly ContainersDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

export interface ImagesPruned {
  readonly ImagesDeleted: readonly ImageDeleteItem[] | null;
  readonly SpaceReclaimed: number;
}

export interface VolumesPruned {
  readonly VolumesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

export interface BuildPruned {
  readonly CachesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}
