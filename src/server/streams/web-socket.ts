import type { IncomingMessage } from "node:http";
import { Transform, type TransformCallback } from "node:stream";
import { InvalidParameterError } from "#errors/errors.ts";
import { acceptKey, encodeFrame, FrameParser, OPCODE } from "#formats/websocket.ts";
import { writeTo } from "./back-pressure.ts";
import { type Answer, closedPromise, type HijackedConnection, type Upgrade } from "./hijack.ts";

const VERSION = "13";
/** Status codes of a close frame. */
const NORMAL = 1000;
const PROTOCOL_ERROR = 1002;

/**
 * Takes over a connection as a WebSocket: bytes both ways as binary messages, whose borders mean nothing. Throws InvalidParameterError when
 * the request is no WebSocket handshake. https://www.rfc-editor.org/rfc/rfc6455#section-4.2
 */
export function openWebSocket(request: IncomingMessage, answer: Answer): HijackedConnection {
  const key = request.headers["sec-websocket-key"];
  const protocol = request.headers.upgrade?.toLowerCase();
  if ("response" in answer || protocol !== "websocket" || key === undefined)
    throw new InvalidParameterError("not websocket protocol: this call needs an Upgrade to websocket");
  if (request.headers["sec-websocket-version"] !== VERSION)
    throw new InvalidParameterError(`unsupported WebSocket version: use ${VERSION}`);
  return overFrames(answer, key);
}

function overFrames({ socket, head }: Upgrade, key: string): HijackedConnection {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
  let isClosing = false;
  const close = (status: number): void => {
    if (isClosing) return;
    isClosing = true;
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(status);
    socket.end(encodeFrame(OPCODE.close, payload));
  };
  const input = new MessageInput((pong) => void socket.write(pong), close);
  socket.pipe(input);
  // Without a close frame the client has gone: it is not there for output either.
  socket.once("end", () => close(NORMAL));
  socket.once("close", () => input.end());
  const closed = closedPromise(socket);
  return {
    input,
    write: (bytes) =>
      isClosing || bytes.length === 0 ? Promise.resolve() : writeTo(socket, encodeFrame(OPCODE.binary, bytes)),
    // The client answers the close frame with its own.
    end: () => {
      close(NORMAL);
      return closed;
    },
    closed,
  };
}

/** The payload of a client's messages. */
class MessageInput extends Transform {
  readonly #parser = new FrameParser();
  readonly #pong: (frame: Buffer) => void;
  readonly #close: (status: number) => void;
  #isOver = false;

  constructor(pong: (frame: Buffer) => void, close: (status: number) => void) {
    super();
    this.#pong = pong;
    this.#close = close;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (!this.#isOver) {
      try {
        for (const { kind, payload } of this.#parser.push(chunk)) {
          if (kind === "data") this.push(payload);
          if (kind === "ping") this.#pong(encodeFrame(OPCODE.pong, payload));
          if (kind === "close") this.#finish(NORMAL);
        }
      } catch {
        this.#finish(PROTOCOL_ERROR);
      }
    }
    done();
  }

  #finish(status: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.push(null);
    this.#close(status);
  }
}
