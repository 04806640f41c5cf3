import type { ResourceLimits } from "#runtime/container-runtime.ts";
import type { Digest } from "#spec/digest.ts";
import type { Descriptor, ImageConfig, Platform } from "#spec/oci-image.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import type { Layer } from "#store/layer-store.ts";
import type {
  BlobSource,
  BuildInput,
  BuildSecrets,
  Entitlement,
  NamedContexts,
  RegistryLogins,
  SshAgents,
} from "./build-client.ts";
import type { ScanTargets } from "./graph/scan-targets.ts";
import type { SettingsOfStages } from "./graph/stage-settings.ts";
import type { CacheLocation, CacheTarget } from "./shared-cache/shared-cache.ts";
import type { BuildMemory } from "./solve/build-memory.ts";

/**
 * A build turns a Dockerfile and a context into an image:
 * `parse → instructions → graph → solve (cache) → ops → export`, one folder each.
 */
export interface BuildRequest {
  /** The client's own reference of the build, 25 letters and digits: its record is kept under it. */
  readonly id?: string;
  readonly input: BuildInput;
  /** As the user named it, for messages: "Dockerfile". In a remote context it is looked for under this name. */
  readonly dockerfileName: string;
  /** Where the client says the context is: an absolute path, a URL, `-` for its standard input. Names the build, no more. */
  readonly source?: string;
  readonly contexts?: NamedContexts;
  readonly secrets?: BuildSecrets;
  readonly sshAgents?: SshAgents;
  readonly logins?: RegistryLogins;
  readonly entitlements?: readonly Entitlement[];
  /** Shared caches to read; one that cannot be read is reported and passed over. */
  readonly cacheFrom?: readonly CacheLocation[];
  /** Shared caches to write when the image is done. */
  readonly cacheTo?: readonly CacheTarget[];
  /** False: the image is only passing, and whoever asked for it tells how it goes on. Default true. */
  readonly isImageWanted?: boolean;
  /** The layers that this build makes become one. */
  readonly squash?: boolean;
  /** Files of the layers that this build made are no younger than SOURCE_DATE_EPOCH. */
  readonly rewriteTimestamp?: boolean;
  /** Canonical references, e.g. docker.io/library/web-ping:latest. */
  readonly tags: readonly string[];
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Stage name; "" means the last. */
  readonly target: string;
  readonly noCache: boolean;
  /** `--no-cache-filter`: stages by name whose steps are not looked up. */
  readonly noCacheFilter?: readonly string[];
  /** Every step runs, and nothing of what comes out is remembered: the cache stays as it is. */
  readonly isTrial?: boolean;
  readonly pull: boolean;
  /** "default", "none", "host", `container:NAME`, or a network. */
  readonly networkMode: string;
  /** `name:ip`. */
  readonly extraHosts: readonly string[];
  /** Of a Dockerfile that Berth wrote itself: what its stages have besides. */
  readonly settings?: SettingsOfStages;
  /** What RUN steps may use. No part of their keys. */
  readonly limits?: StepLimits;
  /** `os/arch[/variant]`, each once: one image for each of them, under the same names. None means the host's. */
  readonly platforms: readonly string[];
  /** The engine keeps a manifest of each image, with these; undefined: of a single image it needs none before it is pushed. */
  readonly annotations?: readonly ImageAnnotation[];
  readonly onStatus: (status: SolveStatus) => void;
  /** Told once, before the first step: the instructions to be carried out, in the order of the Dockerfile. */
  readonly onPlan?: (plan: readonly PlannedVertex[]) => void;
  readonly signal: AbortSignal;
  /** Former builds of the same, and a record of this one; undefined: the build explains nothing and leaves no record. */
  readonly memory?: BuildMemory | undefined;
}

/** Limits of RUN steps; what is left out is not limited, or by the engine's usual value. */
export interface StepLimits {
  readonly resources: ResourceLimits;
  /** Bytes of /dev/shm. */
  readonly shmSize?: number;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  /** "" for the engine's own. */
  readonly cgroupParent: string;
}

/** An instruction as written, and the vertex under which its progress is told; `FROM` and metadata that cost nothing have none. */
export interface PlannedVertex {
  readonly text: string;
  readonly vertex?: Digest;
  /** The image that a `FROM` takes. */
  readonly image?: Digest;
}

export type { BuildMemory };

/** `--annotation`. https://github.com/moby/buildkit/blob/master/docs/annotations.md */
export interface ImageAnnotation {
  readonly place: "manifest" | "manifest-descriptor" | "index" | "index-descriptor";
  /** Only for this platform's manifest, `os/arch[/variant]` normalised; undefined for all. */
  readonly platform: string | undefined;
  readonly key: string;
  readonly value: string;
}

export interface BuildResult extends CreatedImages {
  /** One a platform, in the order of the request. */
  readonly images: readonly BuiltImage[];
  /** What came from elsewhere, but for images. */
  readonly sources: readonly UsedSource[];
  /** The Dockerfile's bytes. */
  readonly definition: Uint8Array;
  /** Given build arguments that no ARG names, sorted. */
  readonly unusedArgs: readonly string[];
  /** What an SBOM of it is to be about besides the images. */
  readonly scanTargets: ScanTargets;
}

/** What ADD or a context was fetched from. */
export interface UsedSource {
  /** Without credentials; of a repository with its ref behind `#`. */
  readonly uri: string;
  /** A commit, or the digest of a file, by the name of its algorithm. */
  readonly digest: Readonly<Record<string, string>>;
}

export interface BuiltImage {
  readonly platform: Platform;
  /** Digest of its config. */
  readonly id: Digest;
  /** The images that went into it. */
  readonly bases: readonly UsedImage[];
}

/** An image that a Dockerfile names. */
export interface UsedImage {
  /** Canonical. */
  readonly reference: string;
  readonly platform: Platform;
  /** Undefined for one that no registry has. */
  readonly manifestDigest: Digest | undefined;
}

/** What the engine's store has made of a build's images. */
export interface CreatedImages {
  /** The image that the names mean without a platform: this machine's, else the first. */
  readonly imageId: Digest;
  readonly ids: readonly Digest[];
  /** The index that the names point at, or the annotated manifest; undefined for one image without annotations, which has none yet. */
  readonly descriptor?: Descriptor;
}

/** What the builder needs of the engine, declared here because `build` may not import `engine`. */
export interface BuildHost {
  /** Finds the image locally (or pulls it: always with `pull`). Throws NotFoundError with Docker's words. */
  resolveImage(reference: string, options: ResolveImageOptions): Promise<BaseImage>;
  /** An image of an OCI layout at the client. Throws NotFoundError, DataLossError. */
  importImage(image: LayoutImage, options: ResolveImageOptions): Promise<BaseImage>;
  /** Makes durable images of configs, one a platform, whose layers exist already: under `tags`, which mean all of them. */
  createImages(configs: readonly ImageConfig[], options: CreateImagesOptions): Promise<CreatedImages>;
  /** A network namespace for a RUN step and the files to bind over /etc/hosts and /etc/resolv.conf. Disposing it releases all. */
  openNetwork(stepId: string, mode: string, names: StepNames): Promise<BuildNetwork>;
}

export interface StepNames {
  /** Of the step's machine, which leads to itself. */
  readonly hostname: string;
  /** `name:ip`. */
  readonly extraHosts: readonly string[];
}

export interface CreateImagesOptions {
  readonly tags: readonly string[];
  /** Of the request. */
  readonly annotations: readonly ImageAnnotation[] | undefined;
  /** Several images that get no tag are kept as one index, which its digest names. */
  readonly keepsNameless: boolean;
}

export interface LayoutImage {
  /** As messages call it. */
  readonly name: string;
  readonly digest: Digest;
  readonly blobs: BlobSource;
}

export interface ResolveImageOptions {
  /** Asked when the image has to be pulled. */
  readonly logins?: RegistryLogins | undefined;
  readonly pull: boolean;
  /** Ask no registry: what is not here is not found. */
  readonly isOffline?: boolean;
  /** Only the config is wanted: of an image that is not here nothing else is fetched, and it has no layers then. */
  readonly isConfigOnly?: boolean;
  readonly platform: string;
  readonly signal: AbortSignal;
  /** Progress of a pull, one per layer: shown as sub-lines of the FROM vertex. */
  readonly onProgress: (id: string, current: number, total: number) => void;
}

export interface BaseImage {
  readonly id: Digest;
  /** Manifest digest if known: shown in `FROM name@sha256:…`. */
  readonly manifestDigest?: Digest;
  readonly config: ImageConfig;
  /** Bottom first. */
  readonly layers: readonly Layer[];
  /** In a plan: it is not here, a build would pull it; all else is made up. */
  readonly isMissing?: boolean;
}

export interface BuildNetwork extends AsyncDisposable {
  readonly network:
    | { readonly kind: "path"; readonly netnsPath: string }
    | { readonly kind: "host" }
    | { readonly kind: "none" };
  /** Host paths to bind read-only at /etc/hosts and /etc/resolv.conf. */
  readonly hostsPath: string;
  readonly resolvConfPath: string;
}

/**
 * The files that COPY and ADD can see, already without what .dockerignore excludes. Immutable once made.
 * Entries are sorted bytewise by path; paths are relative, `/`-separated, without `.` or `..`, latin1-decoded bytes (so that names
 * that are not UTF-8 survive).
 */
export interface BuildContext {
  readonly entries: readonly ContextEntry[];
  /** Bytes of a regular file. Synchronous reads in the hot loop are intended: one pread of a pack file. */
  read(entry: ContextEntry): Uint8Array;
  /** Bytes of a large regular file in pieces; with a `buffer` each lies in it, and is gone when the next is asked for. */
  stream(entry: ContextEntry, buffer?: Uint8Array): AsyncIterable<Uint8Array>;
  /** Bytes that this build's client had to send. */
  readonly transferred: number;
}

export interface ContextEntry {
  readonly path: string;
  readonly type: "file" | "directory" | "symlink";
  /** Permission bits, 07777. */
  readonly mode: number;
  /** Bytes, 0 unless a file. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly mtime: number;
  /** Target of a symlink. */
  readonly linkname: string;
  /** sha256 of the content, files only. */
  readonly digest?: Digest;
}
