import type { MessageInitShape } from "@bufbuild/protobuf";
import { CancelledError, InvalidParameterError } from "#errors/errors.ts";
import { PushQueue } from "#lib/push-queue.ts";
import { FileSync } from "#proto/filesync_pb.ts";
import type { Packet, PacketSchema } from "#proto/fsutil_pb.ts";
import { fromClient } from "../session/grpc-error.ts";
import { listMetadata } from "../session/list-metadata.ts";
import type { Session } from "../session/session.ts";
import { OfferedEntries, type OfferedEntry } from "./offered-entries.ts";
import { RequestWindow } from "./request-window.ts";

/** Types of packets. https://github.com/tonistiigi/fsutil/blob/master/types/wire.proto */
export const PACKET = { stat: 0, request: 1, data: 2, fin: 3, error: 4 } as const;

export interface DiffCopyOptions {
  /** The client's name for the directory: `context`, `dockerfile`, or that of a named context. */
  readonly directory: string;
  /** .dockerignore's lines. */
  readonly excludes?: readonly string[];
  /** Send only these paths, globs, and the links that they lead through. Empty: everything. */
  readonly followPaths?: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * A transfer of a client's directory by fsutil's protocol: the client describes all entries, then sends the contents that it is asked for.
 * Nothing that it sends is believed. Dispose it on every way out. https://github.com/tonistiigi/fsutil
 */
export class DiffCopy implements AsyncDisposable {
  readonly #outgoing = new PushQueue<MessageInitShape<typeof PacketSchema>>();
  readonly #incoming: AsyncIterator<Packet>;
  readonly #abort = new AbortController();
  readonly #directory: string;
  #isFinished = false;

  constructor(session: Session, options: DiffCopyOptions) {
    if (!session.serves(FileSync, "DiffCopy")) {
      throw new InvalidParameterError("no local sources enabled: the build's session does not serve files");
    }
    this.#directory = options.directory;
    const packets = session.client(FileSync).diffCopy(this.#outgoing, {
      headers: new Headers([
        ["dir-name", options.directory],
        ...listMetadata("exclude-patterns", options.excludes ?? []),
        ...listMetadata("followpaths", options.followPaths ?? []),
      ] as [string, string][]),
      signal: AbortSignal.any([options.signal, session.signal, this.#abort.signal]),
    });
    this.#incoming = packets[Symbol.asyncIterator]();
  }

  /** All entries, sorted bytewise by path. Throws InvalidParameterError, UnavailableError, CancelledError. */
  async entries(): Promise<readonly OfferedEntry[]> {
    const entries = new OfferedEntries();
    for (;;) {
      const packet = await this.#next();
      if (packet.type !== PACKET.stat) throw this.#unexpected(packet);
      if (!packet.stat) return entries.sorted();
      entries.add(packet.stat);
    }
  }

  /**
   * The contents of `files`, one after another, exactly as long as described: several are asked for ahead, as far as what comes early fits into
   * some memory. Throws InvalidParameterError when a file has another length than was said.
   */
  async *contents(files: readonly OfferedEntry[]): AsyncGenerator<Uint8Array, void, void> {
    const window = new RequestWindow(files);
    for (;;) {
      yield* window.ready();
      for (const id of window.due()) void this.#outgoing.push({ type: PACKET.request, id });
      if (window.isDone) return;
      const packet = await this.#next();
      if (packet.type !== PACKET.data) throw this.#unexpected(packet);
      window.take(packet.id, packet.data);
    }
  }

  /** Tells the client that all has been received, and waits until it has taken notice. */
  async finish(): Promise<void> {
    void this.#outgoing.push({ type: PACKET.fin });
    this.#outgoing.end();
    const packet = await this.#next();
    if (packet.type !== PACKET.fin) throw this.#unexpected(packet);
    this.#isFinished = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#outgoing.end();
    if (!this.#isFinished) this.#abort.abort();
    await this.#incoming.return?.().catch(() => undefined);
  }

  async #next(): Promise<Packet> {
    let next: IteratorResult<Packet>;
    try {
      next = await this.#incoming.next();
    } catch (error) {
      throw fromClient(error, `cannot transfer ${this.#directory}`);
    }
    if (next.done) throw new CancelledError("the build's client ended the transfer of its files");
    if (next.value.type === PACKET.error) {
      const reason = Buffer.from(next.value.data).toString("utf8").slice(0, 4096);
      throw new InvalidParameterError(`cannot transfer ${this.#directory}: error from sender: ${reason}`);
    }
    return next.value;
  }

  #unexpected({ type }: Packet): InvalidParameterError {
    return new InvalidParameterError(
      `cannot transfer ${this.#directory}: the client sent a packet of type ${type} out of turn`,
    );
  }
}
