/**
 * A connection to the engine as bytes. It stands on Bun's own socket because a client lives for 15 ms: loading `node:net` costs
 * 14 ms and `node:http` 25 ms of start-up (measured in a compiled binary on Bun 1.4.5), this 2 ms. It gives what `fetch` does
 * not: half-close, and a reader that stops the sender when it is behind.
 */
import { BerthError, errorCode, UnavailableError } from "#errors/errors.ts";
import { expectMuchWork } from "#lib/jit-policy.ts";
import { unreachable } from "../engine-error.ts";
import type { Endpoint } from "./endpoint.ts";

/** Bytes that may wait for the reader before the sender is told to stop. */
const HIGH_WATER = 1024 * 1024;
/** Who exchanges more bytes than these with the engine has a list to show or files to move. */
const MUCH = 64 * 1024;

export interface EngineSocket {
  /** The next bytes, undefined at the end. One reader at a time. */
  read(): Promise<Buffer | undefined>;
  /** Resolves when the bytes are handed to the kernel. Throws UnavailableError when the engine has closed the connection. */
  write(bytes: Uint8Array): Promise<void>;
  /** Half-close: nothing more will be written; reading goes on. */
  end(): void;
  destroy(): void;
}

/** Opens a connection. Throws EngineUnreachableError when nobody listens, or the engine does not prove who it is. */
export async function openEngineSocket(endpoint: Endpoint): Promise<EngineSocket> {
  if (endpoint.kind === "ssh") {
    const { openSshSocket } = await import("./ssh-socket.ts");
    return openSshSocket(endpoint);
  }
  const connection = new SocketState();
  const options = {
    allowHalfOpen: true,
    socket: {
      open: (socket: Bun.Socket) => connection.opened(socket),
      data: (_socket: Bun.Socket, bytes: Buffer) => connection.received(bytes),
      drain: () => connection.drained(),
      end: () => connection.ended(),
      close: () => connection.closed(),
      error: (_socket: Bun.Socket, error: Error) => connection.failed(error),
    },
  };
  try {
    if (endpoint.kind === "unix") await Bun.connect({ ...options, unix: endpoint.path });
    else if (endpoint.tls) {
      const { connectEncrypted } = await import("./tls-connection.ts");
      await connectEncrypted(options, endpoint, endpoint.tls);
    } else await Bun.connect({ ...options, hostname: endpoint.host, port: endpoint.port });
  } catch (error) {
    if (error instanceof BerthError) throw error;
    throw unreachable(endpoint, error, errorCode(error));
  }
  return connection;
}

/** Turns the socket's callbacks into promises. */
class SocketState implements EngineSocket {
  #socket: Bun.Socket | undefined;
  readonly #chunks: Buffer[] = [];
  #buffered = 0;
  #exchanged = 0;
  #paused = false;
  #readEnded = false;
  #closed = false;
  #error: Error | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  opened(socket: Bun.Socket): void {
    this.#socket = socket;
  }

  received(bytes: Buffer): void {
    // Bun reuses the memory of `bytes` after the callback.
    this.#chunks.push(Buffer.from(bytes));
    this.#buffered += bytes.length;
    this.#count(bytes.length);
    if (this.#buffered > HIGH_WATER && !this.#paused) {
      this.#paused = true;
      this.#socket?.pause();
    }
    this.#wake();
  }

  drained(): void {
    this.#wakeWriter?.();
  }

  ended(): void {
    this.#readEnded = true;
    this.#wake();
  }

  closed(): void {
    this.#readEnded = true;
    this.#closed = true;
    this.#wake();
    this.#wakeWriter?.();
  }

  failed(error: Error): void {
    this.#error = error;
    this.closed();
  }

  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#buffered -= chunk.length;
        this.#resumeWhenLow();
        return chunk;
      }
      if (this.#readEnded) return undefined;
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    this.#count(bytes.length);
    while (rest.length > 0) {
      const written = this.#closed ? -1 : (this.#socket?.write(rest) ?? -1);
      if (written < 0) {
        throw new UnavailableError("cannot send to the engine: the connection is closed", { cause: this.#error });
      }
      rest = rest.subarray(written);
      if (rest.length > 0 && !this.#closed) await this.#writable();
    }
  }

  end(): void {
    if (!this.#closed) this.#socket?.shutdown();
  }

  destroy(): void {
    this.#socket?.terminate();
    this.closed();
  }

  #count(bytes: number): void {
    this.#exchanged += bytes;
    if (this.#exchanged > MUCH) expectMuchWork();
  }

  #writable(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeWriter = resolve;
    });
  }

  #resumeWhenLow(): void {
    if (!this.#paused || this.#buffered > HIGH_WATER / 2) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  #wake(): void {
    const wake = this.#wakeReader;
    this.#wakeReader = undefined;
    wake?.();
  }
}
