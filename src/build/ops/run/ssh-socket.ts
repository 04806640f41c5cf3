import { once } from "node:events";
import { chmod, chown } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import type { SshAgent } from "../../build-client.ts";
import type { SshStepMount } from "../../graph/graph-types.ts";

/** Connections that a step may have at once: more is no ssh. */
const MAX_CONNECTIONS = 64;

/** Listens at `path` and joins each connection to one of the client's agent. Disposing it ends all of them. */
export async function openAgentSocket(
  path: string,
  access: Pick<SshStepMount, "mode" | "uid" | "gid">,
  agent: SshAgent,
): Promise<AsyncDisposable> {
  const closing = new AbortController();
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    // It may break before the agent is reached: then nobody else listens.
    socket.on("error", () => undefined);
    socket.once("close", () => open.delete(socket));
    void join(socket, agent, closing.signal);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(path);
  await once(server, "listening");
  await chown(path, access.uid, access.gid);
  await chmod(path, access.mode);
  return {
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Until either end closes. What fails here is the step's to notice: its ssh says so. */
async function join(socket: Socket, agent: SshAgent, signal: AbortSignal): Promise<void> {
  try {
    const remote = await agent.connect(signal);
    try {
      await Promise.all([pipeline(socket, remote, { signal }), pipeline(remote, socket, { signal })]);
    } finally {
      remote.destroy();
    }
  } catch {
    // The connection is over, whatever the reason.
  } finally {
    socket.destroy();
  }
}
