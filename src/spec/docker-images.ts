/** Docker Engine API, version 1.51: what it says of images. https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Image */
import type { ContainerConfig } from "./docker-containers.ts";
import type { Descriptor, Platform } from "./oci-image.ts";

/** One of `GET /images/json`. */
export interface ImageSummary {
  readonly Id: string;
  readonly ParentId: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  /** Seconds since the epoch. */
  readonly Created: number;
  readonly Size: number;
  /** -1 unless `shared-size=1`. */
  readonly SharedSize: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  /** Containers that use it; -1 when not counted. */
  readonly Containers: number;
  /** Since 1.48: its index or manifest in a registry, if it was in any. */
  readonly Descriptor?: Descriptor;
  /** With `manifests=1`. */
  readonly Manifests?: readonly ManifestSummary[];
}

/** One manifest of an image, here or not. */
export interface ManifestSummary {
  readonly ID: string;
  readonly Descriptor: Descriptor;
  readonly Available: boolean;
  /** Bytes. */
  readonly Size: { readonly Total: number; readonly Content: number };
  readonly Kind: "image" | "attestation" | "unknown";
  readonly ImageData?: {
    readonly Platform: Platform;
    /** Ids. */
    readonly Containers: readonly string[];
    readonly Size: { readonly Unpacked: number };
  };
  readonly AttestationData?: { readonly For: string };
}

/** `GET /images/{name}/json`. */
export interface ImageInspect {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Parent: string;
  readonly Comment: string;
  readonly Created: string;
  readonly DockerVersion: string;
  readonly Author: string;
  readonly Config: ContainerConfig | null;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly Size: number;
  readonly GraphDriver: { readonly Name: string; readonly Data: Readonly<Record<string, string>> | null };
  readonly RootFS: { readonly Type: string; readonly Layers?: readonly string[] };
  readonly Metadata: { readonly LastTagTime: string };
  /** Since 1.48: its index or manifest in a registry, if it was in any. */
  readonly Descriptor?: Descriptor;
  /** With `manifests=1`. */
  readonly Manifests?: readonly ManifestSummary[];
}

/** One of `GET /images/{name}/history`. */
export interface HistoryItem {
  readonly Id: string;
  /** Seconds since the epoch. */
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
}

/** One of the answer of `DELETE /images/{name}`. */
export interface ImageDeleteItem {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

/** One of `GET /images/search`. */
export interface SearchResult {
  readonly star_count: number;
  readonly is_official: boolean;
  readonly name: string;
  readonly is_automated: boolean;
  readonly description: string;
}
