import { once } from "node:events";
import { connect, type Server } from "node:net";
import { errorMessage, SystemError } from "#errors/errors.ts";
import { listenOnUnixSocket } from "#sys/unix-socket-mode.ts";
import { formatHost, type ListenAddress } from "./options/hosts.ts";

/**
 * Listens where `address` says; resolves with the address that it got. A unix socket that nobody serves is replaced; `gid` is the
 * group that owns it, else the engine's own. Throws SystemError when
 * another process serves it, or the port is taken.
 */
export async function listenAt(server: Server, address: ListenAddress, gid?: number): Promise<ListenAddress> {
  if (address.kind === "unix") await listenOnSocket(server, address.path, gid);
  else return await listenOnTcp(server, address);
  return address;
}

async function listenOnTcp(server: Server, address: ListenAddress & { kind: "tcp" }): Promise<ListenAddress> {
  try {
    const listening = once(server, "listening");
    server.listen(address.port, address.host);
    await listening;
  } catch (cause) {
    throw new SystemError(`cannot listen on ${formatHost(address)}: ${errorMessage(cause)}`, { cause });
  }
  const bound = server.address();
  return typeof bound === "object" && bound ? { ...address, port: bound.port } : address;
}

/** Who may speak with the engine: its owner and group, as with Docker's socket. */
const SOCKET_MODE = 0o660;

async function listenOnSocket(server: Server, path: string, gid: number | undefined): Promise<void> {
  if (await isServed(path)) throw new SystemError(`cannot listen on ${path}: another process serves it`);
  try {
    await listenOnUnixSocket(server, path, { mode: SOCKET_MODE, ...(gid === undefined ? {} : { gid }) });
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
