import { BerthError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import type { UploadSource } from "./blob-upload.ts";
import { TransientError } from "./connection-error.ts";
import type { Session } from "./session.ts";
import { beginUpload, hasBlob, uploadLocation } from "./upload-session.ts";

/**
 * One blob on its way into a repository: POST, one streaming PATCH, PUT with the digest. Call `attempt` again after a failure: what the registry
 * says it has of a broken upload is not sent again; where it has forgotten the upload, a new one begins.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-a-blob-in-chunks
 */
export class ResumableUpload {
  readonly #session: Session;
  readonly #repository: string;
  readonly #source: UploadSource;
  readonly #signal: AbortSignal | undefined;
  #location: URL | undefined;
  /** The digest is known: all bytes have been sent once. */
  #isSent = false;
  #reached = 0;

  constructor(session: Session, repository: string, source: UploadSource, signal: AbortSignal | undefined) {
    this.#session = session;
    this.#repository = repository;
    this.#source = source;
    this.#signal = signal;
  }

  /** Bytes that the registry had when an attempt began: with more of them, the upload moves on. */
  get reached(): number {
    return this.#reached;
  }

  async attempt(): Promise<void> {
    if (this.#isSent && (await hasBlob(this.#session, this.#repository, this.#source.digest(), this.#signal))) return;
    const resumed = await this.#resumed();
    const from = resumed ?? { location: await beginUpload(this.#session, this.#repository, this.#signal), offset: 0 };
    this.#location = from.location;
    try {
      await this.#send(from);
    } catch (error) {
      const mayPass = error instanceof TransientError || this.#signal?.aborted === true;
      if (mayPass || !resumed || !(error instanceof BerthError)) throw error;
      // It could not be taken up again after all.
      this.#location = undefined;
      throw new TransientError(`the registry did not take the rest of an upload: ${error.message}`, { cause: error });
    }
  }

  async #send({ location, offset }: UploadPoint): Promise<void> {
    const signal = this.#signal ? { signal: this.#signal } : {};
    const sent = await this.#session.send({
      method: "PATCH",
      path: location,
      headers: { "content-type": "application/octet-stream" },
      body: () => behind(this.#source.open(), offset),
      expect: [202, 204],
      ...signal,
    });
    this.#isSent = true;
    this.#location = uploadLocation(this.#session, sent);
    const digest = this.#source.digest();
    const last = new URL(this.#location);
    last.searchParams.set("digest", digest);
    try {
      await this.#session.send({ method: "PUT", path: last, expect: [201, 204], ...signal });
    } catch (error) {
      // The runtime sends a PUT again whose answer was lost: the registry has closed the upload by then.
      const isThere =
        error instanceof NotFoundError && (await hasBlob(this.#session, this.#repository, digest, this.#signal));
      if (!isThere) throw error;
    }
  }

  /** Where a broken upload stands; undefined when there is none, or the registry does not say. */
  async #resumed(): Promise<UploadPoint | undefined> {
    const location = this.#location;
    this.#location = undefined;
    if (!location) return undefined;
    const request = { method: "GET", path: location, expect: [200, 202, 204] } as const;
    const response = await this.#session
      .send({ ...request, ...(this.#signal ? { signal: this.#signal } : {}) })
      .catch((error: unknown) => {
        if (error instanceof TransientError) throw error;
        return undefined;
      });
    const end = Number(/^(?:bytes[= ])?0-(\d+)$/.exec(response?.headers.get("range") ?? "")?.[1] ?? 0);
    await response?.body?.cancel();
    // "0-0" is said of no byte and of one.
    if (!response || end === 0) return undefined;
    this.#reached = end + 1;
    return {
      location: response.headers.has("location") ? uploadLocation(this.#session, response) : location,
      offset: end + 1,
    };
  }
}

interface UploadPoint {
  readonly location: URL;
  /** Bytes that are there. */
  readonly offset: number;
}

/** The bytes from an offset on; the source is read from its beginning, as its digest is of all. */
async function* behind(source: AsyncIterable<Uint8Array>, offset: number): AsyncGenerator<Uint8Array, void, void> {
  let left = offset;
  for await (const chunk of source) {
    const skipped = Math.min(left, chunk.length);
    left -= skipped;
    if (skipped < chunk.length) yield chunk.subarray(skipped);
  }
  if (left > 0) throw new InvalidParameterError(`the registry has ${left} bytes more of an upload than there are`);
}
