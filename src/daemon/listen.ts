import type { Server } from "node:http";
import { connect } from "node:net";
import { errorMessage, SystemError } from "#errors/errors.ts";
import { listenOnUnixSocket } from "#sys/unix-socket-mode.ts";

/** Who may speak with the engine: its owner and group, as with Docker's socket. */
const SOCKET_MODE = 0o660;

/** Listens on a unix socket. One that nobody serves is replaced; throws SystemError when another process serves it. */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (await isServed(path)) throw new SystemError(`cannot listen on ${path}: another process serves it`);
  try {
    await listenOnUnixSocket(server, path, { mode: SOCKET_MODE });
  } catch (cause) {
    throw new SystemError(`cannot listen on ${path}: ${errorMessage(cause)}`, { cause });
  }
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
