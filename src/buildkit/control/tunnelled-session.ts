import type { HandlerContext } from "@connectrpc/connect";
import type { BytesMessage } from "#proto/control_pb.ts";
import { ByteStream, type BytesPart } from "../session/byte-stream.ts";
import { Session } from "../session/session.ts";
import type { SessionManager } from "../session/session-manager.ts";

/** Metadata of the call, as the headers of `POST /session`. */
const PREFIX = "x-docker-expose-session-";

/** A session whose connection is a gRPC call: what clients without `POST /session` use. */
export async function* tunnelledSession(
  sessions: SessionManager,
  requests: AsyncIterable<BytesMessage>,
  { requestHeader, signal }: HandlerContext,
): AsyncGenerator<BytesPart, void, void> {
  let outgoing: AsyncIterable<BytesPart> | undefined;
  const stream = new ByteStream((sent) => {
    outgoing = sent;
    return requests;
  });
  stream.on("error", () => undefined);
  const session = new Session(
    {
      id: requestHeader.get(`${PREFIX}uuid`) ?? "",
      name: requestHeader.get(`${PREFIX}name`) ?? "",
      sharedKey: requestHeader.get(`${PREFIX}sharedkey`) ?? "",
      methods: (requestHeader.get(`${PREFIX}grpc-method`) ?? "").split(",").map((method) => method.trim()),
    },
    stream,
  );
  const close = (): void => session.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    sessions.add(session);
    if (outgoing) yield* outgoing;
  } finally {
    signal.removeEventListener("abort", close);
    session.close();
  }
}
