import type { Digest } from "./digest.ts";

import type { Descriptor } from "./oci-image.ts";

/**
 * What Berth's socket offers beyond the Docker Engine API, below `/berth/`. Its own CLI uses these; other clients never need them.
 *
 * Build contexts are sent as a difference. The client walks its directory and sends one `ContextHeader` line and a `ContextEntryLine`
 * per entry (NDJSON) as the body of `POST /build?berthoffer=1`. When the engine has all contents, or they came along, it builds. Otherwise it answers 202 with a
 * `ContextOffer`: which files it has not got with that size, mtime and change time. The client then PUTs to `/berth/contexts/{id}` their contents,
 * concatenated in the order of `missing` (sizes are known; a file that changed meanwhile is cut or zero-padded to its stated size and the build
 * fails naming it), and asks again with `POST /build?berthcontext={id}`. Further contexts of a build are offered by `POST /berth/contexts`.
 */
export interface ContextHeader {
  /** Identifies the directory across builds: digest of host id and absolute path. */
  readonly key: string;
  /** When the walk began, ms since the epoch: a file changed after that may change again without its times telling. */
  readonly walked: number;
  /** Base64 of the Dockerfile where the entries do not have it: ignored, outside the directory, from stdin. */
  readonly dockerfile?: string;
  /** Base64 of the .dockerignore, which the client has applied: the build checks read it. */
  readonly ignoreFile?: string;
}

/** Path and link names are latin1-decoded bytes. Entries come sorted bytewise by path, each after its parent directory. */
export interface ContextEntryLine {
  readonly p: string;
  /** f, d or l. */
  readonly t: "f" | "d" | "l";
  readonly m: number;
  readonly s: number;
  /** Modification and change time, ms since the epoch with fraction, and inode: together they tell whether content may have changed. */
  readonly mt: number;
  readonly ct: number;
  readonly i: number;
  readonly l?: string;
  /** Base64 of the file's content, all `s` bytes of it. Taken where the engine lacks it, and only when it then lacks nothing else. */
  readonly c?: string;
}

export interface ContextOffer {
  readonly id: string;
  /** Indices into the entry lines, ascending. */
  readonly missing: readonly number[];
}

/**
 * `POST /build?berthcontexts={"name":…}`, `--build-context`: a directory that was sent before, an image in an OCI layout that was sent before
 * (`digest`: of its manifest or index), or a URL that the engine fetches. `remote=URL` with `berthcontext={id}` takes only the Dockerfile from
 * the client.
 */
export type SentContext = { readonly id: string; readonly digest?: Digest } | { readonly url: string };

/** `GET /berth/system/check`: one NDJSON line per damaged or missing thing, then one with `done`. */
export interface CheckLine {
  readonly kind?: "layer" | "blob" | "image";
  readonly name?: string;
  readonly problem?: string;
  readonly done?: {
    readonly layers: number;
    readonly blobs: number;
    readonly images: number;
    readonly bytes: number;
    readonly problems: number;
  };
}

/**
 * `GET /berth/prune?containers=1&images=dangling|all&cache=unused|all&volumes=anonymous|all&filters=…`: the bytes that these prunes would
 * free, one after the other in the order of `system prune`. What the query leaves out is not pruned.
 */
export interface PrunePlan {
  readonly containers: number;
  readonly volumes: number;
  readonly images: number;
  readonly buildCache: number;
  readonly total: number;
}

/*
 * `POST /build?version=berth&outputs=[{"Type":"local","Attrs":{…}}]`: what is for the client is told by a message with the id `berth.output` and
 * `{"Index":N,"Token":"…"}` in `aux`; `GET /berth/outputs/{token}` gives it once, as a tar. The build ends when the client has all of it; a
 * connection that breaks off before its last chunk is one that failed, and the build's answer says why.
 */

/*
 * `POST /build?berthcall=lint|outline|targets` runs nothing and answers, behind `berth.solve` updates, one message with the id `berth.call`
 * and what spec/build-check.ts says in `aux`.
 *
 * `POST /build?berthplan=1` runs nothing and answers one message with the id `berth.plan` and a `BuildPlan` in `aux`.
 *
 * Build records (spec/build-record.ts). A reference is an id, the beginning of one, or `^N`: the N-th before the latest.
 * `GET /berth/builds?limit=N`: `BuildSummary[]`, the latest first. `GET /berth/builds/{ref}`: `BuildRecord`; `/berth/builds/{ref}/log`: a SolveStatus
 * per line. `DELETE /berth/builds/{ref}`: 204; `DELETE /berth/builds`: all that have ended, `{"Removed": [...]}`.
 */

/**
 * A cache of `RUN --mount=type=cache`, `GET /berth/cache-mounts`. `DELETE /berth/cache-mounts?ref=…` removes by id or key, `GET` and `PUT
 * /berth/cache-mounts/archive?ref=…` (`id=…&mode=…&uid=…&gid=…`) move one as a tar. Times are ms since the epoch, sizes bytes.
 */
export interface CacheMountView {
  readonly key: string;
  /** As in the Dockerfile, behind the namespace of the build if it has one. */
  readonly id: string;
  readonly target: string;
  readonly size: number;
  readonly created: number;
  readonly lastUsed: number;
  /** The step that used it last. */
  readonly lastUser: string;
  readonly inUse: boolean;
}

/**
 * `GET /berth/registry/manifest?reference=NAME&insecure=1`: a manifest or index as a registry has it, with X-Registry-Auth. With `digest`,
 * `size` and `mediaType` a small blob of the repository instead.
 */
export interface RegistryDocument {
  readonly descriptor: Descriptor;
  /** The bytes, base64. */
  readonly raw: string;
}

/** `POST /berth/registry/manifest`: puts a document under `reference` after copying what it names from `sources`. Answers a RegistryDocument. */
export interface PublishRequest {
  readonly reference: string;
  readonly mediaType: string;
  /** The bytes, base64. */
  readonly raw: string;
  readonly insecure: boolean;
  readonly sources: readonly PublishSource[];
}

export interface PublishSource {
  /** `repository@digest`. */
  readonly reference: string;
  /** What X-Registry-Auth would say for its registry; "" for nothing. */
  readonly auth: string;
}
