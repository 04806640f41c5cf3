import { once } from "node:events";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:http2";
import { connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { DescService, MessageInitShape } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, type ConnectRouter, createClient } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { ClientConnection } from "#buildkit/session/client-connection.ts";
import { PrefixedStream } from "#lib/prefixed-stream.ts";
import { FileSync } from "#proto/filesync_pb.ts";
import type { Packet, PacketSchema, StatSchema } from "#proto/fsutil_pb.ts";

/*
 * A BuildKit client of our own, for tests: it makes the calls that buildx makes, and can misbehave where a test wants it to.
 */

type OutPacket = MessageInitShape<typeof PacketSchema>;

/** Upgrades a connection to h2c, as docker's clients do. */
async function upgrade(
  socketPath: string,
  path: string,
  headers: readonly (readonly [string, string])[] = [],
): Promise<Duplex> {
  const socket = connect(socketPath);
  socket.on("error", () => undefined);
  const lines = [
    ["Host", "docker"],
    ["Connection", "Upgrade"],
    ["Upgrade", "h2c"],
    ["Content-Length", "0"],
    ...headers,
  ];
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
  let head = Buffer.alloc(0);
  for (;;) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) continue;
    if (!head.toString("latin1").startsWith("HTTP/1.1 101 ")) {
      socket.destroy();
      throw new Error(head.toString("utf8"));
    }
    socket.pause();
    return head.length > end + 4 ? new PrefixedStream(head.subarray(end + 4), socket) : socket;
  }
}

export interface TestSessionOptions {
  readonly id: string;
  readonly sharedKey?: string;
  /** As announced: `/moby.buildkit.secrets.v1.Secrets/GetSecret`. */
  readonly methods: readonly string[];
  readonly routes: (router: ConnectRouter) => void;
}

/** Opens a session that serves `routes`; the result is its connection. */
export async function openSession(socketPath: string, options: TestSessionOptions): Promise<Duplex> {
  const socket = await upgrade(socketPath, "/session", [
    ["X-Docker-Expose-Session-Uuid", options.id],
    ["X-Docker-Expose-Session-Name", "test"],
    ["X-Docker-Expose-Session-Sharedkey", options.sharedKey ?? ""],
    ...options.methods.map((method) => ["X-Docker-Expose-Session-Grpc-Method", method] as const),
  ]);
  createServer(connectNodeAdapter({ routes: options.routes })).emit("connection", socket);
  return socket;
}

/** A client of the services of `/grpc`. */
export async function connectControl(
  socketPath: string,
): Promise<{ readonly client: <T extends DescService>(service: T) => Client<T>; readonly close: () => void }> {
  const socket = await upgrade(socketPath, "/grpc");
  const connection = new ClientConnection(socket, () => undefined);
  return { client: (service) => createClient(service, connection.transport), close: () => connection.close() };
}

/** Serves directories by fsutil's protocol, like `docker build`. Notes which files' contents were asked for. */
export function serveDirectories(
  router: ConnectRouter,
  directories: Readonly<Record<string, string>>,
  sent: string[] = [],
): void {
  router.service(FileSync, {
    async *diffCopy(packets, { requestHeader }) {
      const name = requestHeader.get("dir-name") ?? "";
      const root = directories[name];
      if (root === undefined) throw new ConnectError(`no access allowed to dir "${name}"`, Code.NotFound);
      const only = (requestHeader.get("followpaths") ?? "").split(", ").filter((path) => path !== "");
      const wanted = (path: string): boolean =>
        only.length === 0 ||
        only.some((one) => path === one || path.startsWith(`${one}/`) || one.startsWith(`${path}/`));
      const paths = walk(root).filter(wanted);
      for (const path of paths) yield { type: 0, stat: statOf(root, path) };
      yield { type: 0 };
      yield* serveRequests(packets, (id) => {
        const path = paths[id] ?? "";
        sent.push(path);
        return readFileSync(join(root, path));
      });
    },
  });
}

/** Answers requests for contents until the engine is done. */
async function* serveRequests(
  packets: AsyncIterable<Packet>,
  read: (id: number) => Uint8Array,
): AsyncGenerator<OutPacket, void, void> {
  for await (const packet of packets) {
    if (packet.type === 3) {
      yield { type: 3 };
      return;
    }
    if (packet.type !== 1) continue;
    const bytes = read(packet.id);
    for (let at = 0; at < bytes.length; at += 32768)
      yield { type: 2, id: packet.id, data: bytes.subarray(at, at + 32768) };
    yield { type: 2, id: packet.id };
  }
}

function walk(root: string, below = ""): string[] {
  return readdirSync(join(root, below), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      return entry.isDirectory() ? [path, ...walk(root, path)] : [path];
    });
}

const DIRECTORY = 0x8000_0000;
const SYMLINK = 0x0800_0000;

function statOf(root: string, path: string): MessageInitShape<typeof StatSchema> {
  const full = join(root, path);
  const stat = lstatSync(full, { bigint: true });
  const type = stat.isDirectory() ? DIRECTORY : stat.isSymbolicLink() ? SYMLINK : 0;
  return {
    path,
    mode: (type | (Number(stat.mode) & 0o777)) >>> 0,
    size: stat.isFile() ? stat.size : 0n,
    modTime: stat.mtimeNs,
    linkname: stat.isSymbolicLink() ? readlinkSync(full) : "",
  };
}
