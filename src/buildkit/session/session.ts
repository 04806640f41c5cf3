import type { Duplex } from "node:stream";
import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { CancelledError } from "#errors/errors.ts";
import type { SessionAnnouncement } from "#server/buildkit.ts";
import { ClientConnection } from "./client-connection.ts";

/** A client that serves a build: its files, credentials, secrets. It ends with its connection. */
export class Session {
  readonly announcement: SessionAnnouncement;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  /** Resolves then. */
  readonly closed: Promise<void>;
  readonly #connection: ClientConnection;
  readonly #methods: ReadonlySet<string>;

  constructor(announcement: SessionAnnouncement, socket: Duplex) {
    const gone = new AbortController();
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    this.closed = closed;
    this.announcement = announcement;
    this.signal = gone.signal;
    this.#methods = new Set(announcement.methods.map((method) => method.toLowerCase()));
    this.#connection = new ClientConnection(socket, () => {
      gone.abort(new CancelledError("context canceled: the build's client has gone"));
      close();
    });
  }

  /** Whether the client has announced a method. */
  serves(service: DescService, method: string): boolean {
    return this.#methods.has(`/${service.typeName}/${method}`.toLowerCase());
  }

  client<T extends DescService>(service: T): Client<T> {
    return createClient(service, this.#connection.transport);
  }

  close(): void {
    this.#connection.close();
  }
}
