import { ContainerServer } from "./container-server.ts";
import { decodeNameRecord } from "./name-record.ts";
import { NameTable } from "./name-table.ts";
import type { RecordServer } from "./record-server.ts";

/** Answers containers for names, each in its own namespace. */
export class NameServers implements RecordServer {
  readonly #names = new NameTable();
  readonly #servers = new Map<string, ContainerServer>();

  async take(id: string, content: unknown): Promise<string> {
    const record = decodeNameRecord(content, "");
    const { containerId, netnsPath, serial } = record;
    const before = this.#names.get(containerId);
    this.#names.set(record);
    if (before?.netnsPath !== netnsPath) this.#close(containerId);
    try {
      const server = this.#servers.get(containerId) ?? new ContainerServer(containerId, netnsPath, this.#names);
      this.#servers.set(containerId, server);
      await server.ready();
      return serial;
    } catch (error) {
      this.#close(id);
      throw error;
    }
  }

  drop(id: string): void {
    this.#names.delete(id);
    this.#close(id);
  }

  #close(id: string): void {
    this.#servers.get(id)?.[Symbol.dispose]();
    this.#servers.delete(id);
  }
}
