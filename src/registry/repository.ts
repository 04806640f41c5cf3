import { CancelledError, DataLossError, InvalidParameterError } from "#errors/errors.ts";
import { digestOf, isDigest } from "#formats/digest.ts";
import type { RetryPolicy } from "#lib/retry.ts";
import type { Digest } from "#spec/digest.ts";
import { type Descriptor, MEDIA_TYPE } from "#spec/oci-image.ts";
import { type DownloadOptions, downloadBlob, downloadFrom } from "./blob-download.ts";
import { foreignUrls, isForeign } from "./foreign-layer.ts";
import { readBounded } from "./response-error.ts";
import type { Session } from "./session.ts";

/** Manifests longer than this are refused, bytes. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests */
const MAX_MANIFEST = 4 * 1024 * 1024;
/** The `Accept` of every kind of manifest. */
export const MANIFEST_TYPES: string = [
  MEDIA_TYPE.ociManifest,
  MEDIA_TYPE.dockerManifest,
  MEDIA_TYPE.ociIndex,
  MEDIA_TYPE.dockerIndex,
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
].join(", ");

/** A manifest or index as the registry has it: the bytes count, their digest is its name. */
export interface FetchedManifest {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly mediaType: string;
}

/** One repository of a registry for reading, through any of its endpoints (mirrors first). */
export class Repository {
  /** Path within the registry: `library/busybox`. */
  readonly path: string;
  readonly #endpoints: readonly (() => Promise<Session>)[];
  readonly #retryPolicy: RetryPolicy;

  /** `endpoints` are asked in order; each opens its session on first use and keeps it. */
  constructor(path: string, endpoints: readonly (() => Promise<Session>)[], retryPolicy: RetryPolicy) {
    this.path = path;
    this.#endpoints = endpoints;
    this.#retryPolicy = retryPolicy;
  }

  /**
   * A manifest by tag or digest, of any type. Throws NotFoundError, UnauthorizedError, UnavailableError as the registry worded it;
   * DataLossError when the bytes are not those of the digest.
   */
  async manifest(tagOrDigest: string, signal?: AbortSignal): Promise<FetchedManifest> {
    return this.#onFirst(signal, async (session) => {
      const response = await session.sendWithRetry({
        method: "GET",
        path: `${this.path}/manifests/${tagOrDigest}`,
        headers: { accept: MANIFEST_TYPES },
        ...(signal ? { signal } : {}),
      });
      const bytes = await readBounded(response, MAX_MANIFEST, `manifest of ${this.path}`);
      return checkManifest(tagOrDigest, bytes, response.headers);
    });
  }

  /**
   * A blob's bytes as stored; resumes broken connections. A foreign layer that the registry has not comes from where its descriptor says. The descriptor's digest is not checked here: the reader of the stream
   * does that once it has all of it.
   */
  async *blob(descriptor: Descriptor, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    let yielded = false;
    for (const [index, open] of this.#endpoints.entries()) {
      try {
        const session = await open();
        const options = { retryPolicy: this.#retryPolicy, ...(signal ? { signal } : {}) };
        for await (const chunk of this.#download(session, descriptor, options)) {
          yielded = true;
          yield chunk;
        }
        return;
      } catch (error) {
        // Another endpoint can only stand in for one that gave nothing.
        if (yielded || error instanceof CancelledError || index === this.#endpoints.length - 1) throw error;
      }
    }
  }

  async *#download(
    session: Session,
    descriptor: Descriptor,
    options: DownloadOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let isBegun = false;
    let failure: unknown;
    const ways = [undefined, ...(isForeign(descriptor) ? foreignUrls(descriptor, session.endpoint.origin) : [])];
    for (const url of ways) {
      const bytes = url
        ? downloadFrom(session, url, descriptor, options)
        : downloadBlob(session, this.path, descriptor, options);
      try {
        for await (const chunk of bytes) {
          isBegun = true;
          yield chunk;
        }
        return;
      } catch (error) {
        if (isBegun || error instanceof CancelledError) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  /** A small blob (a config), whole and proven. Throws DataLossError on a wrong digest, InvalidParameterError over `limit` bytes. */
  async smallBlob(descriptor: Descriptor, limit: number, signal?: AbortSignal): Promise<Uint8Array> {
    if (descriptor.size > limit) {
      throw new InvalidParameterError(
        `blob ${descriptor.digest}: ${descriptor.size} bytes are more than ${limit}: refused`,
      );
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.blob(descriptor, signal)) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const actual = digestOf(bytes);
    if (actual !== descriptor.digest) {
      throw new DataLossError(`blob ${descriptor.digest}: the registry sent content with digest ${actual}`);
    }
    return bytes;
  }

  /** All tags of the repository, following pages. */
  async tags(signal?: AbortSignal): Promise<string[]> {
    return this.#onFirst(signal, async (session) => {
      const tags: string[] = [];
      let path: string | URL | undefined = `${this.path}/tags/list`;
      while (path) {
        const response: Response = await session.sendWithRetry({ method: "GET", path, ...(signal ? { signal } : {}) });
        tags.push(...parseTags(await readBounded(response, MAX_MANIFEST, `tags of ${this.path}`), this.path));
        path = nextPage(response.headers.get("link"), session.endpoint.origin);
      }
      return tags;
    });
  }

  /** Runs `work` with the endpoints in turn until one succeeds. The last one's failure is thrown: it is the registry itself. */
  async #onFirst<T>(signal: AbortSignal | undefined, work: (session: Session) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const open of this.#endpoints) {
      try {
        return await work(await open());
      } catch (error) {
        failure = error;
        if (signal?.aborted) break;
      }
    }
    throw failure;
  }
}

function checkManifest(asked: string, bytes: Uint8Array, headers: Headers): FetchedManifest {
  const digest = digestOf(bytes);
  const promised = isDigest(asked) ? asked : headers.get("docker-content-digest");
  const type = headers.get("content-type")?.split(";")[0]?.trim() ?? "";
  // A signed schema 1 manifest has the digest of its payload; it is refused later, with better words.
  const isSigned = type.endsWith("prettyjws");
  if (promised && isDigest(promised) && promised !== digest && !isSigned) {
    throw new DataLossError(
      `manifest verification failed for digest ${promised}: the registry sent content with digest ${digest}`,
    );
  }
  return { bytes, digest, mediaType: type };
}

function parseTags(bytes: Uint8Array, repository: string): string[] {
  let page: { readonly tags?: unknown } | null;
  try {
    page = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new DataLossError(`tags of ${repository}: the registry sent something that is not JSON`, { cause });
  }
  return Array.isArray(page?.tags) ? page.tags.filter((tag) => typeof tag === "string") : [];
}

function nextPage(link: string | null, origin: string): URL | undefined {
  const target = /^\s*<([^>]+)>;\s*rel="?next"?/.exec(link ?? "")?.[1];
  const url = target ? new URL(target, origin) : undefined;
  return url?.origin === origin ? url : undefined;
}
