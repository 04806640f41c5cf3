import { connect, createServer, type Socket } from "node:net";
import { pipeline } from "node:stream";
import type { RelayedPort, Target } from "./relay-record.ts";

/** Passes each connection on to the container, both directions by themselves: one may end while the other goes on. Rejects when the port is taken. */
export function relayTcp({ hostIp, hostPort }: RelayedPort, target: Target): Promise<Disposable> {
  const clients = new Set<Socket>();
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true }, (client) => {
      clients.add(client);
      client.once("close", () => clients.delete(client));
      passOn(client, target());
    });
    // Later ones, as of a connection that cannot be taken, change nothing.
    server.on("error", reject);
    server.listen({ host: hostIp, port: hostPort, exclusive: true, ipv6Only: true }, () => {
      resolve({
        [Symbol.dispose]: () => {
          server.close();
          for (const client of clients) client.destroy();
        },
      });
    });
  });
}

function passOn(client: Socket, { address, port, onlyLoopback }: RelayedPort): void {
  // Nobody else comes unless someone flushed the rules; then a refusal is better than a client whose address the container never learns.
  if (onlyLoopback && client.remoteAddress !== "::1") {
    client.destroy();
    return;
  }
  client.setNoDelay(true);
  const server = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
  const done = (): void => undefined;
  // Each waits for the other end to take what it has sent.
  pipeline(client, server, done);
  pipeline(server, client, done);
}
