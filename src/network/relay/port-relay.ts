import { SystemError } from "#errors/errors.ts";
import { type ServiceClient, ServiceRefusal } from "../names/service-client.ts";
import { RELAY_SUFFIX, type RelayedPort } from "./relay-record.ts";

/** A port that the service cannot have: `errno` is "EADDRINUSE" or the like. */
export class PortRefusal extends SystemError {
  readonly errno: string;
  /** As portKey() has it. */
  readonly port: string;

  constructor(errno: string, port: string, cause: unknown) {
    super(`cannot listen at ${port}: ${errno}`, { cause });
    this.errno = errno;
    this.port = port;
  }
}

/** Has the service pass on what no rule of the kernel's can lead to a container. */
export class PortRelay {
  readonly #client: ServiceClient;

  constructor(client: ServiceClient) {
    this.#client = client;
  }

  /** Makes a container's relayed ports just these. Resolves when they are open. Throws PortRefusal, and SystemError when there is no service. */
  async publish(containerId: string, ports: readonly RelayedPort[]): Promise<void> {
    try {
      await this.#client.publish(fileName(containerId), { containerId, ports });
    } catch (error) {
      if (!(error instanceof ServiceRefusal)) throw error;
      const [errno = "", ...port] = error.message.split(" ");
      throw new PortRefusal(errno, port.join(" "), error);
    }
  }

  /** Resolves when the ports are free. Idempotent. */
  withdraw(containerId: string): Promise<void> {
    return this.#client.withdraw(fileName(containerId));
  }

  /** At start-up: there are just these. */
  async restore(ports: ReadonlyMap<string, readonly RelayedPort[]>): Promise<void> {
    const records = [...ports].map(
      ([containerId, own]) => [fileName(containerId), { containerId, ports: own }] as const,
    );
    await this.#client.restore(RELAY_SUFFIX, new Map(records));
  }
}

function fileName(containerId: string): string {
  return `${containerId}${RELAY_SUFFIX}`;
}
