import { errorCode, SystemError } from "#errors/errors.ts";
import { portKey, type RelayedPort, type Target } from "./relay-record.ts";
import { relayTcp } from "./tcp-relay.ts";
import { relayUdp } from "./udp-relay.ts";

interface Relay {
  port: RelayedPort;
  readonly server: Disposable;
}

/** The relayed ports of one container. */
export class ContainerRelay implements Disposable {
  readonly #relays = new Map<string, Relay>();

  /**
   * Makes the ports just these; what is there already goes on, clients included. On failure nothing new stays. Rejects with the
   * system call's error and the port, `EADDRINUSE tcp [::]:80`, as PortRelay reads it.
   */
  async update(ports: readonly RelayedPort[]): Promise<void> {
    const wanted = new Set(ports.map(portKey));
    for (const key of this.#relays.keys()) if (!wanted.has(key)) this.#close(key);
    const added: string[] = [];
    try {
      for (const port of ports) {
        const relay = this.#relays.get(portKey(port));
        if (relay) relay.port = port;
        else {
          await this.#open(port);
          added.push(portKey(port));
        }
      }
    } catch (error) {
      for (const key of added) this.#close(key);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const key of this.#relays.keys()) this.#close(key);
  }

  async #open(port: RelayedPort): Promise<void> {
    const key = portKey(port);
    const target: Target = () => this.#relays.get(key)?.port ?? port;
    try {
      const server = await (port.protocol === "tcp" ? relayTcp(port, target) : relayUdp(port, target));
      this.#relays.set(key, { port, server });
    } catch (cause) {
      throw new SystemError(`${errorCode(cause) ?? "EIO"} ${key}`, { cause });
    }
  }

  #close(key: string): void {
    this.#relays.get(key)?.server[Symbol.dispose]();
    this.#relays.delete(key);
  }
}
