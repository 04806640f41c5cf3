import type { RecordServer } from "../names/record-server.ts";
import { ContainerRelay } from "./container-relay.ts";
import { decodeRelayRecord } from "./relay-record.ts";

/** Passes on what comes to relayed ports. */
export class RelayServers implements RecordServer {
  readonly #relays = new Map<string, ContainerRelay>();

  async take(id: string, content: unknown): Promise<string> {
    const { serial, ports } = decodeRelayRecord(content, "");
    const relay = this.#relays.get(id) ?? new ContainerRelay();
    this.#relays.set(id, relay);
    try {
      await relay.update(ports);
      return serial;
    } catch (error) {
      this.drop(id);
      throw error;
    }
  }

  drop(id: string): void {
    this.#relays.get(id)?.[Symbol.dispose]();
    this.#relays.delete(id);
  }
}
