import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { PrefixedStream } from "#lib/prefixed-stream.ts";
import { writeTo } from "./back-pressure.ts";

/** A connection that attach or exec took over. `input` ends when the client half-closes; `end` ends our half. */
export interface HijackedConnection {
  readonly input: Readable;
  /** Resolves when the client can take more, or has gone. */
  write(bytes: Uint8Array): Promise<void>;
  end(): void;
  readonly closed: Promise<void>;
}

/** A request with an Upgrade header: its connection, and what of the client's bytes was read with the header. */
export interface Upgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** How a request can be answered. */
export type Answer = { readonly response: ServerResponse } | Upgrade;

/**
 * Takes over the connection of a request: with `Upgrade: tcp` it answers `101 UPGRADED`; without, as old clients do, a plain 200 whose body
 * streams out.
 */
export function hijack(request: IncomingMessage, answer: Answer, contentType: string): HijackedConnection {
  return "response" in answer
    ? overResponse(request, answer.response, contentType)
    : overSocket(request, answer, contentType);
}

/** Switches to the protocol that the client named; the next bytes either way are that protocol's. */
export function upgrade(request: IncomingMessage, { socket, head }: Upgrade): Duplex {
  const protocol = request.headers.upgrade ?? "";
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
  return head.length > 0 ? new PrefixedStream(head, socket) : socket;
}

/**
 * Input is read from the socket alone: under Bun a body sent with an Upgrade request arrives on the
 * request and not on the socket, so an exec's small JSON body has been read before.
 */
function overSocket(request: IncomingMessage, { socket, head }: Upgrade, contentType: string): HijackedConnection {
  const protocol = request.headers.upgrade ?? "tcp";
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

/** Resolves when the connection is over, whichever way. */
export function closedPromise(stream: Duplex | ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    stream.once("close", resolve);
    stream.once("error", () => resolve());
  });
}
