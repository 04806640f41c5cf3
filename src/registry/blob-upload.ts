import { UnavailableError } from "#errors/errors.ts";
import type { RetryPolicy } from "#lib/retry.ts";
import type { Digest } from "#spec/digest.ts";
import { retryTransient, type Session } from "./session.ts";

/** A blob to upload. `open` is called again when an upload has to start again. */
export interface UploadSource {
  open(): AsyncIterable<Uint8Array>;
  /** Known before, or told by the source once it was read to its end. */
  digest(): Digest;
}

/** Whether the repository has the blob. */
export async function hasBlob(
  session: Session,
  repository: string,
  digest: Digest,
  signal?: AbortSignal,
): Promise<boolean> {
  const path = `${repository}/blobs/${digest}`;
  const response = await session.sendWithRetry({
    method: "HEAD",
    path,
    expect: [200, 404],
    ...(signal ? { signal } : {}),
  });
  return response.status === 200;
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
 * Uploads a blob whose length need not be known: POST, one streaming PATCH, PUT with the digest. A failure that may pass starts the
 * upload again from the beginning.
 */
export async function uploadBlob(
  session: Session,
  repository: string,
  source: UploadSource,
  options: { readonly retryPolicy: RetryPolicy; readonly signal?: AbortSignal },
): Promise<void> {
  const signal = options.signal ? { signal: options.signal } : {};
  const attempt = async (): Promise<void> => {
    const sent = await session.send({
      method: "PATCH",
      path: await beginUpload(session, repository, options.signal),
      headers: { "content-type": "application/octet-stream" },
      body: () => source.open(),
      expect: [202, 204],
      ...signal,
    });
    const last = uploadLocation(session, sent);
    last.searchParams.set("digest", source.digest());
    await session.send({ method: "PUT", path: last, expect: [201, 204], ...signal });
  };
  await retryTransient(attempt, options.retryPolicy, options.signal);
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

/** Where the registry wants the bytes. */
async function beginUpload(session: Session, repository: string, signal: AbortSignal | undefined): Promise<URL> {
  const response = await session.send({
    method: "POST",
    path: `${repository}/blobs/uploads/`,
    expect: [202],
    ...(signal ? { signal } : {}),
  });
  return uploadLocation(session, response);
}

function uploadLocation(session: Session, response: Response): URL {
  const location = response.headers.get("location");
  if (!location) throw new UnavailableError("registry started an upload but did not say where (no Location header)");
  return new URL(location, session.endpoint.origin);
}
