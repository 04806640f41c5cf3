import { PushQueue } from "#lib/push-queue.ts";
import { FileSend } from "#proto/filesync_pb.ts";
import { fromClient } from "../session/grpc-error.ts";
import type { Session } from "../session/session.ts";
import { type OutputTarget, outputHeaders } from "./output-target.ts";

/** BuildKit's clients take messages of this size and more; larger ones gain nothing. */
const MESSAGE_BYTES = 1024 * 1024;

/** Sends one file to the place that the client chose for its output, no faster than the client takes it. Throws what the client answers. */
export async function sendFile(
  session: Session,
  bytes: AsyncIterable<Uint8Array>,
  target: OutputTarget,
): Promise<void> {
  const outgoing = new PushQueue<{ readonly data: Uint8Array }>();
  const answers = session.client(FileSend).diffCopy(outgoing, {
    headers: outputHeaders(target),
    signal: AbortSignal.any([target.signal, session.signal]),
  });
  let isClosed = false;
  const closed = (async () => {
    for await (const _ of answers);
  })().finally(() => {
    isClosed = true;
    outgoing.end();
  });
  closed.catch(() => undefined);
  try {
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length && !isClosed; at += MESSAGE_BYTES) {
        await outgoing.push({ data: chunk.subarray(at, at + MESSAGE_BYTES) });
      }
      if (isClosed) break;
    }
    outgoing.end();
    await closed;
  } catch (error) {
    outgoing.end();
    throw fromClient(error, "cannot send the output to the client");
  }
}
