import { encode } from "dns-packet";
import { inNetworkNamespace } from "#sys/network-namespace.ts";
import { answerQuery, failure, readQuery, udpBytes } from "./answer-query.ts";
import { forwardQuery, type Transport, withLength } from "./forward-query.ts";
import { NAME_SERVER_ADDRESS, NAME_SERVER_PORT } from "./name-record.ts";
import type { NameTable } from "./name-table.ts";

/** Queries of one container that wait for a server outside; further ones fail at once. */
const MAX_FORWARDED = 256;
/** Connections of one container over TCP. The service's descriptors are for all of them. */
const MAX_CONVERSATIONS = 64;
/** Bytes of a query over TCP. */
const MAX_QUERY = 4096;

/** A connection over TCP. */
interface Conversation {
  received: Buffer;
  unanswered: number;
  /** The client sends no more. */
  isOver: boolean;
}

/**
 * Answers one container, at 127.0.0.11 in its own network namespace: who asks is known by the socket, and no firewall of the host, no gateway and
 * no other container is in between.
 */
export class ContainerServer implements Disposable {
  readonly #containerId: string;
  readonly #names: NameTable;
  readonly #udp: Promise<Bun.udp.Socket<"buffer">>;
  readonly #tcp: Bun.TCPSocketListener<Conversation>;
  #forwarded = 0;
  #conversations = 0;

  /** Throws SystemCallError when the namespace is gone, or its port 61053 is taken. */
  constructor(containerId: string, netnsPath: string, names: NameTable) {
    this.#containerId = containerId;
    this.#names = names;
    // Both are made at once, in this thread: what Bun's promise waits for is not the socket.
    [this.#udp, this.#tcp] = inNetworkNamespace(netnsPath, () => [this.#bindUdp(), this.#listenTcp()]);
  }

  /** The sockets are bound. Rejects when they could not be. */
  async ready(): Promise<void> {
    await this.#udp;
  }

  [Symbol.dispose](): void {
    this.#tcp.stop(true);
    this.#udp.then((socket) => socket.close()).catch(() => undefined);
  }

  #bindUdp(): Promise<Bun.udp.Socket<"buffer">> {
    return Bun.udpSocket({
      hostname: NAME_SERVER_ADDRESS,
      port: NAME_SERVER_PORT,
      socket: {
        data: (socket, bytes, port, address) => {
          this.#answer(Buffer.from(bytes), "udp")
            .then((answer) => answer && socket.send(answer, port, address))
            .catch(() => undefined);
        },
      },
    });
  }

  #listenTcp(): Bun.TCPSocketListener<Conversation> {
    return Bun.listen<Conversation>({
      hostname: NAME_SERVER_ADDRESS,
      port: NAME_SERVER_PORT,
      allowHalfOpen: true,
      socket: {
        open: (socket) => {
          socket.data = { received: Buffer.alloc(0), unanswered: 0, isOver: false };
          socket.timeout(10);
          if (++this.#conversations > MAX_CONVERSATIONS) socket.end();
        },
        data: (socket, bytes) => this.#receive(socket, bytes),
        // The client has said all; it may still wait for answers.
        end: (socket) => {
          socket.data.isOver = true;
          if (socket.data.unanswered === 0) socket.end();
        },
        close: () => void this.#conversations--,
        timeout: (socket) => void socket.end(),
        error: (socket) => void socket.end(),
      },
    });
  }

  /** A connection may carry several queries, in pieces of any size. */
  #receive(socket: Bun.Socket<Conversation>, bytes: Buffer): void {
    let received = Buffer.concat([socket.data.received, bytes]);
    while (received.length >= 2) {
      const end = 2 + received.readUInt16BE(0);
      if (end > MAX_QUERY) return void socket.end();
      if (received.length < end) break;
      socket.data.unanswered++;
      void this.#answer(Buffer.from(received.subarray(2, end)), "tcp")
        .then((answer) => answer && socket.write(withLength(answer)))
        .catch(() => undefined)
        .then(() => {
          socket.data.unanswered--;
          if (socket.data.isOver && socket.data.unanswered === 0) socket.end();
        });
      received = received.subarray(end);
    }
    socket.data.received = Buffer.from(received);
  }

  /** The bytes to answer with; none for what is no query. */
  async #answer(bytes: Buffer, transport: Transport): Promise<Buffer | undefined> {
    const query = readQuery(bytes);
    const asker = this.#names.get(this.#containerId);
    if (!query || !asker) return undefined;
    const own = answerQuery(query, asker, this.#names);
    if (own) return transport === "udp" ? udpBytes(query, own) : encode(own);
    return (await this.#forward(bytes, asker.servers, transport)) ?? encode(failure(query));
  }

  async #forward(bytes: Buffer, servers: readonly string[], transport: Transport): Promise<Buffer | undefined> {
    if (servers.length === 0 || this.#forwarded >= MAX_FORWARDED) return undefined;
    this.#forwarded++;
    try {
      return await forwardQuery(bytes, servers, transport);
    } finally {
      this.#forwarded--;
    }
  }
}
