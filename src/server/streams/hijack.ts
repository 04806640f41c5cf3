import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { PrefixedStream } from "#lib/prefixed-stream.ts";
import { writeTo } from "./back-pressure.ts";

/** Milliseconds that a client has to read what the kernel holds for it, unless it hangs up before. */
const READING_TIME = 250;

/** A connection that attach or exec took over. `input` ends when the client half-closes; `end` ends our half. */
export interface HijackedConnection {
  readonly input: Readable;
  /** Resolves when the client can take more, or has gone. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Resolves when the client has read all that was written: it hangs up then. One that keeps its connection gets a moment after the kernel has
   * taken the last byte.
   */
  end(): Promise<void>;
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
  return "response" in answer ? overResponse(request, answer.response) : overSocket(answer, contentType);
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
function overSocket({ socket, head }: Upgrade, contentType: string): HijackedConnection {
  // As in dockerd, whatever the client called it.
  socket.write(`HTTP/1.1 101 UPGRADED\r\nContent-Type: ${contentType}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  const closed = closedPromise(socket);
  return {
    input: socket,
    write: (bytes) => writeTo(socket, bytes),
    end: async () => {
      await Promise.race([new Promise<void>((resolve) => socket.end(() => resolve())), closed]);
      await Promise.race([closed, sleep(READING_TIME)]);
    },
    closed,
  };
}

/** What comes is told by the type only to clients that ask for an upgrade, as in dockerd. */
function overResponse(request: IncomingMessage, response: ServerResponse): HijackedConnection {
  response.writeHead(200, { "Content-Type": "application/vnd.docker.raw-stream" });
  response.flushHeaders();
  const closed = closedPromise(response);
  return {
    input: request,
    write: (bytes) => writeTo(response, bytes),
    end: async () => {
      if (response.destroyed) return;
      await Promise.race([endResponse(response), closed]);
      // It is "closed" as soon as it has ended, and the connection may serve other requests: nothing tells when it has been read.
      await sleep(READING_TIME);
    },
    closed,
  };
}

/** Ends an answer. Bun takes bytes that were written in the same turn of its loop for sent: one turn later it says the truth. */
async function endResponse(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  await new Promise<void>((resolve) => response.end(() => resolve()));
}

/** Resolves when the connection is over, whichever way. */
export function closedPromise(stream: Duplex | ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    stream.once("close", resolve);
    stream.once("error", () => resolve());
  });
}
