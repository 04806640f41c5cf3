import type { RetryPolicy } from "#lib/retry.ts";
import type { Digest } from "#spec/digest.ts";
import { mountBlob, type UploadSource, uploadBlob, uploadSmallBlob } from "./blob-upload.ts";
import { MANIFEST_TYPES } from "./repository.ts";
import type { Session } from "./session.ts";
import { hasBlob } from "./upload-session.ts";

/** One repository of a registry for writing. Uploads go to the registry itself, never to a mirror. */
export class RepositoryWriter {
  /** Path within the registry. */
  readonly path: string;
  readonly #session: Session;
  readonly #retryPolicy: RetryPolicy;

  constructor(path: string, session: Session, retryPolicy: RetryPolicy) {
    this.path = path;
    this.#session = session;
    this.#retryPolicy = retryPolicy;
  }

  hasBlob(digest: Digest, signal?: AbortSignal): Promise<boolean> {
    return hasBlob(this.#session, this.path, digest, signal);
  }

  /** Takes a blob over from another repository of the same registry; false when the registry would not. */
  mountBlob(digest: Digest, from: string, signal?: AbortSignal): Promise<boolean> {
    return mountBlob(this.#session, this.path, digest, from, signal);
  }

  uploadBlob(source: UploadSource, signal?: AbortSignal): Promise<void> {
    return uploadBlob(this.#session, this.path, source, this.#options(signal));
  }

  uploadSmallBlob(bytes: Uint8Array, digest: Digest, signal?: AbortSignal): Promise<void> {
    return uploadSmallBlob(this.#session, this.path, bytes, digest, this.#options(signal));
  }

  /** Whether the repository has a manifest of that digest. */
  async hasManifest(digest: Digest, signal?: AbortSignal): Promise<boolean> {
    const response = await this.#session.sendWithRetry({
      method: "HEAD",
      path: `${this.path}/manifests/${digest}`,
      headers: { accept: MANIFEST_TYPES },
      expect: [200, 404],
      ...(signal ? { signal } : {}),
    });
    return response.status === 200;
  }

  /** Publishes a manifest under a tag or its digest. Throws InvalidParameterError when the registry refuses it. */
  async putManifest(tagOrDigest: string, bytes: Uint8Array, mediaType: string, signal?: AbortSignal): Promise<void> {
    await this.#session.sendWithRetry({
      method: "PUT",
      path: `${this.path}/manifests/${tagOrDigest}`,
      headers: { "content-type": mediaType },
      body: () => bytes,
      expect: [200, 201, 202],
      ...(signal ? { signal } : {}),
    });
  }

  #options(signal: AbortSignal | undefined): { retryPolicy: RetryPolicy; signal?: AbortSignal } {
    return { retryPolicy: this.#retryPolicy, ...(signal ? { signal } : {}) };
  }
}
