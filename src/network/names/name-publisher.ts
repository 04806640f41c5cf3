import { errorMessage, SystemError } from "#errors/errors.ts";
import { type NameRecord, RECORD_SUFFIX } from "./name-record.ts";
import type { ServiceClient } from "./service-client.ts";

/** Makes the name service answer containers, and by their names. */
export class NamePublisher {
  readonly #client: ServiceClient;

  constructor(client: ServiceClient) {
    this.#client = client;
  }

  /** Writes a container's record. Resolves when the service answers by it. Throws SystemError when it cannot. */
  async publish(record: Omit<NameRecord, "serial">): Promise<void> {
    try {
      await this.#client.publish(fileName(record), { ...record });
    } catch (cause) {
      throw new SystemError(`cannot serve names in the container's network: ${errorMessage(cause)}`, { cause });
    }
  }

  /** Takes a container's record back. Idempotent. */
  withdraw(containerId: string): void {
    void this.#client.withdraw(fileName({ containerId }));
  }

  /** At start-up: there are just these. */
  async restore(records: readonly Omit<NameRecord, "serial">[]): Promise<void> {
    await this.#client.restore(RECORD_SUFFIX, new Map(records.map((record) => [fileName(record), { ...record }])));
  }

  close(): void {
    this.#client.close();
  }

  cleanUp(): Promise<void> {
    return this.#client.cleanUp();
  }
}

function fileName({ containerId }: { readonly containerId: string }): string {
  return `${containerId}${RECORD_SUFFIX}`;
}
