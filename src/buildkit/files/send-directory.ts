import type { MessageInitShape } from "@bufbuild/protobuf";
import { InvalidParameterError } from "#errors/errors.ts";
import { type TarEntry, tarText } from "#formats/tar/tar-entry.ts";
import { readTar } from "#formats/tar/tar-reader.ts";
import { PushQueue } from "#lib/push-queue.ts";
import { FileSend, FileSync } from "#proto/filesync_pb.ts";
import type { Packet, PacketSchema, StatSchema } from "#proto/fsutil_pb.ts";
import { fromClient } from "../session/grpc-error.ts";
import type { Session } from "../session/session.ts";
import { PACKET } from "./diff-copy.ts";
import { goFileMode } from "./go-file-mode.ts";
import { type OutputTarget, outputHeaders } from "./output-target.ts";

type Outgoing = PushQueue<MessageInitShape<typeof PacketSchema>>;

/** A data packet of fsutil's is at most that long. */
const PACKET_BYTES = 32 * 1024;

/** FileSend's one method carries bytes for a file, but packets for a directory. */
const DirectorySend: typeof FileSync = Object.assign({ ...FileSync }, { typeName: FileSend.typeName });
Object.assign(DirectorySend, {
  methods: FileSync.methods.map((method) => ({ ...method, parent: DirectorySend })),
});

/**
 * Sends files into the directory that the client chose for its output, by fsutil's protocol: describes all, then sends what the client asks for.
 * `openTar` is read once for the descriptions, in whatever order, and again for contents, so that these never wait in memory. Devices, pipes and sockets
 * are left out. Throws what the client answers. https://github.com/tonistiigi/fsutil/blob/master/send.go
 */
export async function sendDirectory(
  session: Session,
  openTar: () => AsyncIterable<Uint8Array>,
  target: OutputTarget,
): Promise<void> {
  const outgoing: Outgoing = new PushQueue();
  const answers = session.client(DirectorySend).diffCopy(outgoing, {
    headers: outputHeaders(target),
    signal: AbortSignal.any([target.signal, session.signal]),
  });
  const requests = new Requests(answers);
  try {
    const ids = await sendStats(openTar(), outgoing, requests);
    while (await requests.arrival(ids.length)) await sendContents(openTar(), { ids, outgoing, requests });
    await outgoing.push({ type: PACKET.fin });
    outgoing.end();
    await requests.ended;
  } catch (error) {
    outgoing.end();
    throw fromClient(error, "cannot send the output to the client");
  }
}

/** In the order of their paths, as the client wants them; gives the numbers by which it asks for them, in the order of the tar. */
async function sendStats(tar: AsyncIterable<Uint8Array>, outgoing: Outgoing, requests: Requests): Promise<Uint32Array> {
  const found: { readonly stat: Stat; readonly key: string; readonly place: number }[] = [];
  for await (const { entry } of readTar(tar)) {
    requests.check();
    const stat = statOf(entry);
    // A directory's files come before what begins with its name.
    if (stat) found.push({ stat, key: stat.path.replaceAll("/", "\0"), place: found.length });
  }
  found.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  const ids = new Uint32Array(found.length);
  for (const [id, { stat, place }] of found.entries()) {
    ids[place] = id;
    await outgoing.push({ type: PACKET.stat, stat });
  }
  await outgoing.push({ type: PACKET.stat });
  return ids;
}

interface ContentsPass {
  readonly ids: Uint32Array;
  readonly outgoing: Outgoing;
  readonly requests: Requests;
}

/** One pass over the files: what is asked for by the time that they pass. */
async function sendContents(tar: AsyncIterable<Uint8Array>, { ids, outgoing, requests }: ContentsPass): Promise<void> {
  let place = 0;
  for await (const { entry, body } of readTar(tar)) {
    requests.check();
    if (!statOf(entry)) continue;
    const id = ids[place++] ?? 0;
    if (requests.take(id)) {
      for await (const chunk of body) {
        for (let at = 0; at < chunk.length; at += PACKET_BYTES) {
          await outgoing.push({ type: PACKET.data, id, data: chunk.subarray(at, at + PACKET_BYTES) });
        }
      }
      await outgoing.push({ type: PACKET.data, id });
    }
  }
}

/** What the client asks for, until it has all. */
class Requests {
  /** Resolves when the client has ended the call; rejects with what it ended it with. */
  readonly ended: Promise<void>;
  readonly #ids = new Set<number>();
  #isDone = false;
  #failure: unknown;
  #wake: (() => void) | undefined;

  constructor(packets: AsyncIterable<Packet>) {
    this.ended = this.#read(packets);
    this.ended.catch((error: unknown) => {
      this.#failure = error;
      this.#isDone = true;
      this.#wake?.();
    });
  }

  /** Throws what the call has failed with. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits for a request; false when the client has all. Throws when it asks for what is none of the `count` files. */
  async arrival(count: number): Promise<boolean> {
    while (this.#ids.size === 0 && !this.#isDone) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.check();
    for (const id of this.#ids) if (id >= count) throw new InvalidParameterError(`invalid file id ${id}`);
    return this.#ids.size > 0;
  }

  take(id: number): boolean {
    return this.#ids.delete(id);
  }

  async #read(packets: AsyncIterable<Packet>): Promise<void> {
    for await (const { type, id, data } of packets) {
      if (type === PACKET.request) this.#ids.add(id);
      else if (type === PACKET.fin) this.#isDone = true;
      else if (type === PACKET.error) {
        throw new InvalidParameterError(`error from receiver: ${Buffer.from(data).toString("utf8").slice(0, 4096)}`);
      }
      this.#wake?.();
    }
    this.#isDone = true;
    this.#wake?.();
  }
}

const TYPES = { file: "f", hardlink: "f", directory: "d", symlink: "l" } as const;

type Stat = MessageInitShape<typeof StatSchema> & { readonly path: string };

function statOf(entry: TarEntry): Stat | undefined {
  const type = entry.type in TYPES ? TYPES[entry.type as keyof typeof TYPES] : undefined;
  const path = tarText(entry.path).replace(/^(?:\.?\/)+|\/+$/g, "");
  if (!type || path === "" || path === ".") return undefined;
  return {
    path,
    mode: goFileMode(type, entry.mode),
    uid: entry.uid,
    gid: entry.gid,
    size: entry.type === "file" ? BigInt(entry.size) : 0n,
    modTime: BigInt(entry.mtime.seconds) * 1_000_000_000n + BigInt(entry.mtime.nanoseconds),
    linkname: entry.linkPath === undefined ? "" : tarText(entry.linkPath),
  };
}
