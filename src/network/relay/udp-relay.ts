import { createSocket, type Socket } from "node:dgram";
import type { RelayedPort, Target } from "./relay-record.ts";

/** How long a client's answers find their way back without a word of its own or the container's, ms: Docker's. */
const FLOW_TIMEOUT = 90_000;
/** Clients of one port; the one that was silent for longest makes room. */
const MAX_FLOWS = 1024;

type Connected = Bun.udp.ConnectedSocket<"buffer">;

/** A client, and the socket whose address the container answers to. */
interface Flow {
  readonly socket: Promise<Connected>;
  readonly timer: NodeJS.Timeout;
}

/** Passes datagrams on to the container, and its answers to the clients that they are for. Rejects when the port is taken. */
export function relayUdp({ hostIp, hostPort }: RelayedPort, target: Target): Promise<Disposable> {
  const server = createSocket({ type: "udp6", ipv6Only: true });
  const relay = new UdpRelay(server, target);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.on("message", (bytes, { port, address }) => relay.take(bytes, port, address));
    server.bind({ address: hostIp, port: hostPort, exclusive: true }, () => {
      // What cannot be sent is lost, as datagrams are.
      server.on("error", () => undefined);
      resolve(relay);
    });
  });
}

class UdpRelay implements Disposable {
  readonly #server: Socket;
  readonly #target: Target;
  /** The one that was silent for longest first. */
  readonly #flows = new Map<string, Flow>();

  constructor(server: Socket, target: Target) {
    this.#server = server;
    this.#target = target;
  }

  take(bytes: Buffer, port: number, address: string): void {
    if (this.#target().onlyLoopback && address !== "::1") return;
    const key = `[${address}]:${port}`;
    const flow = this.#flows.get(key) ?? this.#open(key, port, address);
    this.#renew(key, flow);
    const copy = Buffer.from(bytes);
    flow.socket.then((socket) => socket.send(copy)).catch(() => this.#end(key));
  }

  [Symbol.dispose](): void {
    this.#server.close();
    for (const key of this.#flows.keys()) this.#end(key);
  }

  #open(key: string, clientPort: number, clientAddress: string): Flow {
    const [oldest] = this.#flows.keys();
    if (this.#flows.size >= MAX_FLOWS && oldest !== undefined) this.#end(oldest);
    const { address, port } = this.#target();
    const socket = Bun.udpSocket({
      connect: { hostname: address, port },
      socket: {
        data: (_, bytes) => {
          this.#server.send(Buffer.from(bytes), clientPort, clientAddress);
          const flow = this.#flows.get(key);
          if (flow) this.#renew(key, flow);
        },
        // The container has nobody at the port.
        error: () => this.#end(key),
      },
    });
    const timer = setTimeout(() => this.#end(key), FLOW_TIMEOUT);
    return { socket, timer };
  }

  #renew(key: string, flow: Flow): void {
    flow.timer.refresh();
    this.#flows.delete(key);
    this.#flows.set(key, flow);
  }

  #end(key: string): void {
    const flow = this.#flows.get(key);
    if (!flow) return;
    this.#flows.delete(key);
    clearTimeout(flow.timer);
    flow.socket.then((socket) => socket.close()).catch(() => undefined);
  }
}
