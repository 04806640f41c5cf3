import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from "node:http2";
import type { Duplex } from "node:stream";
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { UnavailableError } from "#errors/errors.ts";
import { expandListMetadata } from "./list-metadata.ts";
import { responseChunks } from "./response-chunks.ts";

/** HTTP/2 needs a name for the other end; nothing resolves it. */
const AUTHORITY = "http://session.berth.localhost";
/** A file's data comes in packets of 32 KiB; what else a client answers is small. */
const MAX_MESSAGE = 4 * 1024 * 1024;

/** gRPC to a client that serves on the connection that it opened itself: BuildKit's sessions turn the roles around. */
export class ClientConnection {
  readonly transport: Transport;
  readonly #http: ClientHttp2Session;
  readonly #socket: Duplex;

  /** Speaks HTTP/2 on `socket` from its first byte (prior knowledge). `onClose` is called once, when the connection is gone. */
  constructor(socket: Duplex, onClose: () => void) {
    this.#socket = socket;
    this.#http = connect(AUTHORITY, { createConnection: () => socket });
    this.#http.on("error", () => undefined);
    this.#http.once("close", onClose);
    socket.once("close", onClose);
    this.transport = createGrpcTransport({
      baseUrl: AUTHORITY,
      acceptCompression: [],
      readMaxBytes: MAX_MESSAGE,
      sessionManager: {
        authority: AUTHORITY,
        request: async (method, path, headers) => this.#request(method, path, headers),
        notifyResponseByteRead: () => undefined,
      },
    });
  }

  close(): void {
    this.#http.destroy();
    this.#socket.destroy();
  }

  #request(method: string, path: string, headers: OutgoingHttpHeaders): ClientHttp2Stream {
    if (this.#http.closed || this.#http.destroyed) throw new UnavailableError("the build's client has gone");
    const stream = this.#http.request({ ...expandListMetadata(headers), ":method": method, ":path": path });
    return Object.assign(stream, { [Symbol.asyncIterator]: responseChunks(stream) });
  }
}
