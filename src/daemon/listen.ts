import { rmSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { errorMessage, SystemError } from "#errors/errors.ts";

/** Listens on a unix socket that has mode 0660 from its first instant. A socket that nobody serves is replaced; a served one is an error. */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (await isServed(path)) throw new SystemError(`cannot listen on ${path}: another process serves it`);
  rmSync(path, { force: true });
  const previous = process.umask(0o117);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause) =>
        reject(new SystemError(`cannot listen on ${path}: ${errorMessage(cause)}`, { cause })),
      );
      server.listen(path, resolve);
    });
  } finally {
    process.umask(previous);
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
