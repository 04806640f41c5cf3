import type { Duplex } from "node:stream";
import type { Digest } from "#spec/digest.ts";
import type { BuildContext } from "./builder.ts";

/*
 * What a build may ask of the client that started it: secrets, ssh agents, and the files behind its contexts. Each comes when a step needs it
 * and not before. Who serves them is not the builder's business: a BuildKit session, or what Berth's own client sent along.
 */

/** `--secret`. Values pass through memory and a tmpfs only: never into layers, history, logs, cache keys. */
export interface BuildSecrets {
  /** The bytes of a secret, or undefined when the client has none of this id. The caller overwrites them after use. */
  get(id: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
}

/** `--ssh`. */
export interface SshAgents {
  /** The agent of this id ("default" is usual), or undefined when the client forwards none. Checked before the step runs. */
  open(id: string, signal: AbortSignal): Promise<SshAgent | undefined>;
}

/** An ssh agent at the client. */
export interface SshAgent {
  /** A new connection, for each one that the step makes to its socket. The caller destroys it; either end may close it. */
  connect(signal: AbortSignal): Promise<Duplex>;
}

/** The client's logins at registries. */
export interface RegistryLogins {
  /** What the client proves itself with at the registry of this domain (`docker.io`, `registry.example:5000`); undefined when it has none. Secret. */
  get(domain: string, signal: AbortSignal): Promise<RegistryLogin | undefined>;
}

/** As the API's X-Registry-Auth. */
export interface RegistryLogin {
  readonly username?: string;
  readonly password?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

/** What `--allow` grants; a Dockerfile that asks for more is refused. */
export type Entitlement = "network.host" | "security.insecure" | "device" | `device=${string}`;

/** The files of a context, fetched when the first step needs them, once a build. */
export interface ContextFiles {
  /**
   * `paths` are the clean, relative paths and globs that steps read ("" is everything): a transfer may leave the rest out. Links on the way
   * to them are to be sent along. The result stays readable until the build has ended.
   */
  open(paths: readonly string[], signal: AbortSignal): Promise<BuildContext>;
}

/** A context that is here already. */
export function openedContext(files: BuildContext): ContextFiles {
  return { open: async () => files };
}

/** `--build-context NAME=…`: takes the place of an image or stage of that name. */
export type NamedContext =
  /** A directory at the client, `local:` in BuildKit's terms. */
  | { readonly kind: "files"; readonly files: ContextFiles }
  /** `docker-image://`, a git or http(s) URL: the engine fetches it. */
  | { readonly kind: "url"; readonly url: string }
  /** `oci-layout://`: an image at the client, by the digest of its manifest or index. */
  | { readonly kind: "oci-layout"; readonly digest: Digest; readonly blobs: BlobSource }
  /** An image that another build of the same client has made, by its id. */
  | { readonly kind: "image"; readonly id: Digest };

/** Blobs by digest: an OCI image layout at the client. Whoever reads verifies. */
export interface BlobSource {
  /** Throws NotFoundError when there is no such blob. */
  read(digest: Digest, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The same, to write as well. */
export interface BlobStore extends BlobSource {
  has(digest: Digest, signal: AbortSignal): Promise<boolean>;
  /** Adds a blob; one that is there already stays. `ref` tells this write from others. Returns what was written. */
  write(
    bytes: AsyncIterable<Uint8Array>,
    ref: string,
    signal: AbortSignal,
  ): Promise<{ readonly digest: Digest; readonly size: number }>;
}

/** By lower-cased name, perhaps with `::os/arch` behind it for one platform only. */
export type NamedContexts = Readonly<Record<string, NamedContext>>;

/** Where Dockerfile and main context come from. */
export type BuildInput =
  | {
      readonly kind: "files";
      readonly dockerfile: Uint8Array;
      readonly context: ContextFiles;
      /** The .dockerignore, which the client has applied already: the build checks read it. */
      readonly ignoreFile?: string | undefined;
    }
  /** A git repository, or an http(s) URL of a tar or of a Dockerfile; the Dockerfile may come from the client all the same (`-f -`). */
  | { readonly kind: "remote"; readonly url: string; readonly dockerfile?: Uint8Array };
