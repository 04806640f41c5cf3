import { InvalidParameterError } from "#errors/errors.ts";
import { PushQueue } from "#lib/push-queue.ts";
import { Upload } from "#proto/upload_pb.ts";
import { fromClient } from "./grpc-error.ts";
import type { Session } from "./session.ts";

/**
 * What the client has for the engine behind a URL that only they know: its standard input. Throws InvalidParameterError when it serves none.
 * https://github.com/moby/buildkit/blob/master/session/upload/upload.go
 */
export async function* uploadedTar(
  session: Session,
  url: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  if (!session.serves(Upload, "Pull")) throw new InvalidParameterError(`the build's session does not serve ${url}`);
  const { host, pathname } = new URL(url);
  const outgoing = new PushQueue<{ readonly data: Uint8Array }>();
  try {
    const parts = session.client(Upload).pull(outgoing, {
      headers: { urlhost: host, urlpath: pathname },
      signal: AbortSignal.any([signal, session.signal]),
    });
    for await (const { data } of parts) yield data;
  } catch (error) {
    throw fromClient(error, "cannot read the client's standard input");
  } finally {
    outgoing.end();
  }
}
