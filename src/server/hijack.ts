import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex, Readable } from "node:stream";

/** A connection that attach or exec took over. `input` ends when the client half-closes; `end` ends our half. */
export interface HijackedConnection {
  readonly input: Readable;
  /** Resolves when the client can take more, or has gone. */
  write(bytes: Uint8Array): Promise<void>;
  end(): void;
  readonly closed: Promise<void>;
}

/**
 * With `Upgrade: tcp`, answers `101 UPGRADED` and gives the socket. Without it, an old client gets a plain 200 whose body streams out;
 * its input is the request's body. Under Bun a body sent with an Upgrade request arrives on the request and not on the socket, so
 * the exec's small JSON body is read before, and input is read from the socket alone.
 */
export function openHijack(
  request: IncomingMessage,
  answer: { readonly socket: Duplex; readonly head: Buffer } | ServerResponse | undefined,
  contentType: string,
): HijackedConnection {
  if (answer && "socket" in answer && "head" in answer && answer.head instanceof Buffer) {
    return overSocket(answer.socket as Duplex, answer.head, contentType, request.headers.upgrade ?? "tcp");
  }
  return overResponse(request, answer as ServerResponse, contentType);
}

function overSocket(socket: Duplex, head: Buffer, contentType: string, protocol: string): HijackedConnection {
  socket.write(
    `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${contentType}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
  return {
    input: socket,
    write: (bytes) => writeTo(socket, bytes),
    end: () => void socket.end(),
    closed: closedPromise(socket),
  };
}

function overResponse(request: IncomingMessage, response: ServerResponse, contentType: string): HijackedConnection {
  response.writeHead(200, { "Content-Type": contentType });
  response.flushHeaders();
  return {
    input: request,
    write: (bytes) => writeTo(response, bytes),
    end: () => void response.end(),
    closed: closedPromise(response),
  };
}

function closedPromise(stream: Duplex | ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    stream.once("close", resolve);
    stream.once("error", () => resolve());
  });
}

function writeTo(stream: Duplex | ServerResponse, bytes: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.write(bytes)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.once("drain", done);
    stream.once("close", done);
  });
}
