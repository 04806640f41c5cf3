import type { RetryPolicy } from "#lib/retry.ts";
import type { Digest } from "#spec/digest.ts";
import { ResumableUpload } from "./resumable-upload.ts";
import { retryTransient, type Session } from "./session.ts";
import { beginUpload, uploadLocation } from "./upload-session.ts";

/** A blob to upload. `open` is called again when an upload has to start again. */
export interface UploadSource {
  open(): AsyncIterable<Uint8Array>;
  /** Known before, or told by the source once it was read to its end. */
  digest(): Digest;
}

/**
 * Asks the registry to take the blob from another of its repositories, without upload. False when it would not; the upload
 * that it then opened instead is given up. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#mounting-a-blob-from-another-repository
 */
export async function mountBlob(
  session: Session,
  repository: string,
  digest: Digest,
  from: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const query = new URLSearchParams({ mount: digest, from });
  const response = await session.sendWithRetry({
    method: "POST",
    path: `${repository}/blobs/uploads/?${query}`,
    expect: [201, 202],
    ...(signal ? { signal } : {}),
  });
  if (response.status === 201) return true;
  const location = uploadLocation(session, response);
  await session.send({ method: "DELETE", path: location }).catch(() => undefined);
  return false;
}

/**
 * Uploads a blob whose length need not be known. After a failure that may pass, what the registry has of it is not sent again, or the upload starts
 * again from the beginning (resumable-upload.ts); as often as the policy says, counted anew while it moves on.
 */
export async function uploadBlob(
  session: Session,
  repository: string,
  source: UploadSource,
  options: { readonly retryPolicy: RetryPolicy; readonly signal?: AbortSignal },
): Promise<void> {
  const upload = new ResumableUpload(session, repository, source, options.signal);
  await retryTransient(
    () => upload.attempt(),
    options.retryPolicy,
    options.signal,
    () => upload.reached,
  );
}

/** Uploads a small blob: POST, then PUT with all its bytes. */
export async function uploadSmallBlob(
  session: Session,
  repository: string,
  bytes: Uint8Array,
  digest: Digest,
  options: { readonly retryPolicy: RetryPolicy; readonly signal?: AbortSignal },
): Promise<void> {
  const signal = options.signal ? { signal: options.signal } : {};
  const attempt = async (): Promise<void> => {
    const location = await beginUpload(session, repository, options.signal);
    location.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream" };
    await session.send({ method: "PUT", path: location, headers, body: () => bytes, expect: [201, 204], ...signal });
  };
  await retryTransient(attempt, options.retryPolicy, options.signal);
}
