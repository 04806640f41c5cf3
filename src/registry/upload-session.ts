import { UnavailableError } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";
import type { Session } from "./session.ts";

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

/** Where the registry wants the bytes. */
export async function beginUpload(session: Session, repository: string, signal: AbortSignal | undefined): Promise<URL> {
  const response = await session.send({
    method: "POST",
    path: `${repository}/blobs/uploads/`,
    expect: [202],
    ...(signal ? { signal } : {}),
  });
  return uploadLocation(session, response);
}

/** The `Location` of an answer: a whole URL, or one relative to what was asked. Throws UnavailableError without one. */
export function uploadLocation(session: Session, response: Response): URL {
  const location = response.headers.get("location");
  if (!location) throw new UnavailableError("registry started an upload but did not say where (no Location header)");
  return new URL(location, response.url === "" ? session.endpoint.origin : response.url);
}
