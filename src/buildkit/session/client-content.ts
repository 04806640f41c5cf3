import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { BlobStore } from "#build/build-client.ts";
import { DataLossError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { Digester } from "#formats/digest.ts";
import { PushQueue } from "#lib/push-queue.ts";
import { Content, type WriteContentRequestSchema, type WriteContentResponse } from "#proto/content_pb.ts";
import type { Digest } from "#spec/digest.ts";
import { fromClient, isAbsent } from "./grpc-error.ts";
import type { Session } from "./session.ts";

/** Names the store in a call's metadata. https://github.com/moby/buildkit/blob/master/session/content/attachable.go */
const STORE_HEADER = "buildkit-attachable-store-id";
/** Bytes a message: servers in Go take four times that. */
const MESSAGE_BYTES = 1024 * 1024;
const ACTION = { stat: 0, write: 1, commit: 2 } as const;

/**
 * Blobs that a session's client keeps under a name: an OCI layout (`oci:NAME`), a cache directory (`local:PATH`). Throws InvalidParameterError
 * when the client serves no blobs at all. https://github.com/containerd/containerd/blob/main/docs/content-flow.md
 */
export function clientBlobs(session: Session, store: string): BlobStore {
  if (!session.serves(Content, "Read")) {
    throw new InvalidParameterError(`the build's session does not serve blobs: cannot reach ${store}`);
  }
  return new ClientBlobs(session, store);
}

class ClientBlobs implements BlobStore {
  readonly #session: Session;
  readonly #store: string;

  constructor(session: Session, store: string) {
    this.#session = session;
    this.#store = store;
  }

  async *read(digest: Digest, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    try {
      const parts = this.#session.client(Content).read({ digest }, this.#options(signal));
      for await (const { data } of parts) yield data;
    } catch (error) {
      throw this.#failure(error, digest);
    }
  }

  async has(digest: Digest, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#session.client(Content).info({ digest }, this.#options(signal));
      return true;
    } catch (error) {
      if (isAbsent(error)) return false;
      throw this.#failure(error, digest);
    }
  }

  /** A message is answered before the next one goes: the client's disk sets the pace. */
  async write(
    bytes: AsyncIterable<Uint8Array>,
    ref: string,
    signal: AbortSignal,
  ): Promise<{ readonly digest: Digest; readonly size: number }> {
    const requests = new PushQueue<MessageInitShape<typeof WriteContentRequestSchema>>();
    const answers = this.#session.client(Content).write(requests, this.#options(signal))[Symbol.asyncIterator]();
    const ask = async (request: MessageInitShape<typeof WriteContentRequestSchema>): Promise<WriteContentResponse> => {
      void requests.push(request);
      const answer = await answers.next();
      if (answer.done) throw new DataLossError(`writing ${ref} to ${this.#store}: the client ended the transfer`);
      return answer.value;
    };
    const digester = new Digester();
    try {
      await ask({ action: ACTION.stat, ref });
      for await (const chunk of bytes) {
        for (let at = 0; at < chunk.length; at += MESSAGE_BYTES) {
          const data = chunk.subarray(at, at + MESSAGE_BYTES);
          await ask({ action: ACTION.write, ref, offset: BigInt(digester.size), data });
          digester.update(data);
        }
      }
      const { size } = digester;
      const digest = digester.digest();
      await commit(ask, { action: ACTION.commit, ref, offset: BigInt(size), total: BigInt(size), expected: digest });
      return { digest, size };
    } catch (error) {
      throw fromClient(error, `cannot write to ${this.#store}`);
    } finally {
      requests.end();
      await answers.return?.().catch(() => undefined);
    }
  }

  #options(signal: AbortSignal): { readonly headers: Record<string, string>; readonly signal: AbortSignal } {
    return {
      headers: { [STORE_HEADER]: this.#store },
      signal: AbortSignal.any([signal, this.#session.signal]),
    };
  }

  #failure(error: unknown, digest: Digest): Error {
    if (isAbsent(error)) return new NotFoundError(`blob ${digest}: not found in ${this.#store}`, { cause: error });
    return fromClient(error, `cannot read blob ${digest} of ${this.#store}`);
  }
}

/** What another build has written meanwhile is as good. */
async function commit(
  ask: (request: MessageInitShape<typeof WriteContentRequestSchema>) => Promise<WriteContentResponse>,
  request: MessageInitShape<typeof WriteContentRequestSchema>,
): Promise<void> {
  try {
    await ask(request);
  } catch (error) {
    if (!(error instanceof ConnectError && error.code === Code.AlreadyExists)) throw error;
  }
}
