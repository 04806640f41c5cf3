import { runCommand } from "#sys/command.ts";
import type { NetworkRecord } from "./network-driver.ts";
import { type PublishedPort, renderPorts, renderTable } from "./nft-rules.ts";

/**
 * The engine's nft table in the kernel, and what should be in it. Transactions run one after the other, so that a replacement of the
 * whole table never overtakes a container's ports.
 */
export class RuleTable {
  readonly #name: string;
  readonly #networks = new Map<string, NetworkRecord>();
  readonly #ports = new Map<string, readonly PublishedPort[]>();
  #tail: Promise<unknown> = Promise.resolve();

  constructor(name: string) {
    this.#name = name;
  }

  /** Adds a network and puts the whole table into the kernel anew. */
  async addNetwork(network: NetworkRecord): Promise<void> {
    this.#networks.set(network.id, network);
    await this.replace();
  }

  /** Notes ports of running containers without touching the kernel: `replace` follows. */
  adopt(containerId: string, ports: readonly PublishedPort[]): void {
    if (ports.length > 0) this.#ports.set(containerId, ports);
  }

  /** Leads the ports to the container. If the table is gone (`nft flush ruleset`), all of it is put back. */
  async publish(containerId: string, ports: readonly PublishedPort[]): Promise<void> {
    if (ports.length === 0) return;
    this.#ports.set(containerId, ports);
    try {
      await this.#run(() => renderPorts(this.#name, "add", ports));
    } catch {
      await this.replace();
    }
  }

  /** Takes a container's ports back. Idempotent. */
  async withdraw(containerId: string): Promise<void> {
    const ports = this.#ports.get(containerId);
    if (!ports) return;
    this.#ports.delete(containerId);
    try {
      await this.#run(() => renderPorts(this.#name, "delete", ports));
    } catch {
      await this.replace();
    }
  }

  /** One atomic transaction that makes the kernel's table what it should be. */
  replace(): Promise<void> {
    // Rendered when its turn comes: it then contains whatever was published meanwhile.
    return this.#run(() => renderTable(this.#name, [...this.#networks.values()], [...this.#ports.values()].flat()));
  }

  /** Removes the table. Idempotent. */
  remove(): Promise<void> {
    this.#networks.clear();
    this.#ports.clear();
    return this.#run(() => `add table ip ${this.#name}\ndelete table ip ${this.#name}\n`);
  }

  #run(render: () => string): Promise<void> {
    const turn = this.#tail.then(async () => {
      await runCommand("nft", ["-f", "-"], { input: render() });
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }
}
