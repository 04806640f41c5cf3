import type { Family } from "#lib/ip-address.ts";
import { runCommand } from "#sys/command.ts";
import { type NetlinkRequest, NetlinkSocket } from "#sys/netlink/socket.ts";
import type { NetworkRecord } from "../network-driver.ts";
import { NETLINK_NETFILTER, transaction } from "./messages.ts";
import { type PublishedPort, portRequests } from "./port-elements.ts";
import { renderTable } from "./rules.ts";
import { NftTransactions } from "./transactions.ts";

const FAMILIES: readonly Family[] = [4, 6];

/**
 * The engine's nft tables in the kernel, one per address family, and what should be in them. Transactions run one after the other, so that a
 * replacement of the whole never overtakes a container's ports. There is no table for IPv6 before a network has it.
 */
export class RuleTable {
  readonly #name: string;
  readonly #allowed: readonly Family[];
  readonly #networks = new Map<string, NetworkRecord>();
  readonly #ports = new Map<string, readonly PublishedPort[]>();
  /** Ports of the sockets whose transactions are this engine's own: that of a run of `nft` is its process ID. */
  readonly #ownPorts = new Set<number>();
  #hasIpv6 = false;
  readonly #transactions = new NftTransactions<NetlinkRequest>({
    changes: async (requests) => {
      using socket = new NetlinkSocket(NETLINK_NETFILTER);
      this.#remember(socket.bindPort());
      await socket.change(transaction(requests));
    },
    text: async (text) => {
      await runCommand("nft", ["-f", "-"], { input: text, onStart: (pid) => this.#remember(pid) });
    },
  });

  /** `families`: those that there are rules for. */
  constructor(name: string, families: readonly Family[] = FAMILIES) {
    this.#name = name;
    this.#allowed = families;
  }

  /** Whether there is a table of any family at all. */
  get isOn(): boolean {
    return this.#allowed.length > 0;
  }

  get name(): string {
    return this.#name;
  }

  /** Adds a network and puts the whole table into the kernel anew. */
  async addNetwork(network: NetworkRecord): Promise<void> {
    this.#networks.set(network.id, network);
    await this.replace();
  }

  /** Takes a network out. Idempotent. */
  async removeNetwork(id: string): Promise<void> {
    if (this.#networks.delete(id)) await this.replace();
  }

  /** Notes ports of running containers without touching the kernel: `replace` follows. */
  adopt(containerId: string, ports: readonly PublishedPort[]): void {
    const own = this.#own(ports);
    if (own.length > 0) this.#ports.set(containerId, own);
  }

  /** Leads the ports to the container. If the table is gone (`nft flush ruleset`), all of it is put back. */
  async publish(containerId: string, published: readonly PublishedPort[]): Promise<void> {
    const ports = this.#own(published);
    if (ports.length === 0) return;
    this.#ports.set(containerId, ports);
    try {
      await this.#transactions.change(() => portRequests(this.#name, "add", ports));
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
      await this.#transactions.change(() => portRequests(this.#name, "delete", ports));
    } catch {
      await this.replace();
    }
  }

  /** One atomic transaction that makes the kernel's tables what they should be. */
  async replace(): Promise<void> {
    if (!this.isOn) return;
    // Rendered when its turn comes: it then contains whatever was published meanwhile.
    await this.#transactions.whole(() => {
      const networks = [...this.#networks.values()];
      const ports = [...this.#ports.values()].flat();
      this.#hasIpv6 ||= networks.some((network) => network.ipv6 !== undefined);
      return this.#families()
        .map((family) =>
          renderTable(
            family,
            this.#name,
            networks.filter((network) => (family === 4 ? true : network.ipv6)),
            ports.filter((port) => (port.containerAddress.includes(":") ? family === 6 : family === 4)),
          ),
        )
        .join("");
    });
  }

  /** Removes the tables. Idempotent. */
  async remove(): Promise<void> {
    this.#networks.clear();
    this.#ports.clear();
    await this.#transactions.alone(() => `add table ip ${this.#name}\ndelete table ip ${this.#name}\n`);
    // 1: there is none. An engine before this one may have had it.
    await runCommand("nft", ["delete", "table", "ip6", this.#name], { okCodes: [0, 1] });
  }

  /** Whether a transaction that came through a netlink socket of this port is this engine's own. */
  isOwn(port: number): boolean {
    return this.#ownPorts.has(port);
  }

  #own(ports: readonly PublishedPort[]): readonly PublishedPort[] {
    return ports.filter(({ containerAddress }) => this.#allowed.includes(containerAddress.includes(":") ? 6 : 4));
  }

  #families(): readonly Family[] {
    return this.#allowed.filter((family) => family === 4 || this.#hasIpv6);
  }

  /** The monitor tells of a transaction after it is made; the last few will do. */
  #remember(port: number): void {
    this.#ownPorts.add(port);
    const [oldest] = this.#ownPorts;
    if (this.#ownPorts.size > 1000 && oldest !== undefined) this.#ownPorts.delete(oldest);
  }
}
