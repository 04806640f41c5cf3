import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ConflictError, errorMessage, InvalidParameterError, SystemError } from "#errors/errors.ts";
import { parseSubnet } from "#lib/ip-address.ts";
import { killByArgument } from "#sys/find-processes.ts";
import { AddressPool } from "./address-pool.ts";
import { bridgePorts, deleteBridge, ensureBridge, networkMtu } from "./bridge.ts";
import { forgetUdpFlows } from "./conntrack.ts";
import { forgetForeignFirewalls, passForeignFirewalls } from "./foreign-firewall.ts";
import { macAddressOf } from "./mac-address.ts";
import {
  attachToBridge,
  type ContainerInterface,
  createNamespace,
  deleteInterface,
  namespaceFlag,
  removeNamespace,
} from "./namespace.ts";
import type { ConnectRequest, NetworkDriver, NetworkEndpoint, NetworkRecord, PortBinding } from "./network-driver.ts";
import type { PublishedPort } from "./nft-rules.ts";
import { PortAllocator } from "./port-allocator.ts";
import { RuleTable } from "./rule-table.ts";

export interface BridgeNetworkDriverOptions {
  /** Unique among the engines of this host, 1 to 8 of [a-z0-9]: it names the nft table and the host ends of veth pairs. */
  readonly engineName: string;
  /** Where namespaces are pinned, under the exec root. */
  readonly netnsDirectory: string;
}

/** A network that this engine has met. */
interface NetworkState {
  readonly record: NetworkRecord;
  readonly pool: AddressPool;
  readonly prefixLength: number;
  /** The bridge and rules exist; resolves with the MTU. Undefined until first use. */
  ready: Promise<number> | undefined;
}

/** Linux bridges, veth pairs and nftables, by way of `ip` and `nft`. */
export class BridgeNetworkDriver implements NetworkDriver {
  readonly #engineName: string;
  readonly #netnsDirectory: string;
  readonly #rules: RuleTable;
  readonly #ports = new PortAllocator();
  readonly #networks = new Map<string, NetworkState>();
  readonly #endpoints = new Map<string, NetworkEndpoint>();
  readonly #background = new Set<Promise<void>>();

  constructor(options: BridgeNetworkDriverOptions) {
    if (!/^[a-z0-9]{1,8}$/.test(options.engineName)) {
      throw new InvalidParameterError(`invalid engine name "${options.engineName}": 1 to 8 of [a-z0-9] are allowed`);
    }
    this.#engineName = options.engineName;
    this.#netnsDirectory = options.netnsDirectory;
    this.#rules = new RuleTable(`berth_${options.engineName}`);
  }

  async ensureNetwork(network: NetworkRecord): Promise<void> {
    await this.#ready(this.#stateOf(network));
  }

  async connect(request: ConnectRequest): Promise<NetworkEndpoint> {
    if (this.#endpoints.has(request.containerId)) {
      throw new ConflictError(`container ${request.containerId} is already connected`);
    }
    const endpoint = request.network
      ? await this.#connectToBridge(request, this.#stateOf(request.network))
      : await this.#connectToNothing(request);
    this.#endpoints.set(request.containerId, endpoint);
    return endpoint;
  }

  async disconnect(containerId: string): Promise<void> {
    const endpoint = this.#endpoints.get(containerId);
    this.#endpoints.delete(containerId);
    if (endpoint) this.#release(endpoint);
    await removeNamespace(this.#netnsPath(containerId));
  }

  async restore(endpoints: readonly NetworkEndpoint[], networks: readonly NetworkRecord[]): Promise<void> {
    // A namespace that is still being made would come after the sweep below.
    await killByArgument((argument) => argument.startsWith(namespaceFlag(this.#netnsDirectory)));
    for (const network of networks) this.#stateOf(network);
    for (const endpoint of endpoints) {
      this.#endpoints.set(endpoint.containerId, endpoint);
      this.#networks.get(endpoint.networkId)?.pool.adopt(endpoint.ipv4);
      this.#rules.adopt(endpoint.containerId, publishedPorts(endpoint.ports, endpoint.ipv4));
      await this.#ports.adopt(endpoint.ports);
    }
    const inUse = new Set(endpoints.map((endpoint) => endpoint.networkId));
    const states = [...this.#networks.values()];
    for (const state of states) if (inUse.has(state.record.id)) await this.#ready(state);
    // Rules of containers that ended while no engine ran would swallow their ports' traffic.
    if (inUse.size === 0 && states.length > 0) await this.#rules.remove();
    await this.#removeNamespaces((containerId) => !this.#endpoints.has(containerId));
  }

  async cleanUp(): Promise<void> {
    await Promise.all([...this.#endpoints.keys()].map((containerId) => this.disconnect(containerId)));
    await this.#removeNamespaces(() => true);
    await Promise.all(this.#background);
    for (const { record } of this.#networks.values()) {
      for (const port of await bridgePorts(record.bridgeName)) await deleteInterface(port);
      await deleteBridge(record.bridgeName);
      await forgetForeignFirewalls(record.bridgeName);
    }
    this.#networks.clear();
    await this.#rules.remove();
  }

  async #connectToNothing(request: ConnectRequest): Promise<NetworkEndpoint> {
    const netnsPath = this.#netnsPath(request.containerId);
    await createNamespace(netnsPath, undefined);
    return {
      containerId: request.containerId,
      endpointId: randomBytes(32).toString("hex"),
      networkId: "",
      netnsPath,
      hostInterface: "",
      ipv4: "",
      prefixLength: 0,
      gateway: "",
      macAddress: "",
      ports: [],
    };
  }

  async #connectToBridge(request: ConnectRequest, network: NetworkState): Promise<NetworkEndpoint> {
    const mtu = await this.#ready(network);
    const { containerId } = request;
    const { gateway, internal, bridgeName } = network.record;
    const endpointId = randomBytes(32).toString("hex");
    await using undo = new AsyncDisposableStack();

    const ports = await this.#reservePorts(request, endpointId);
    undo.defer(() => this.#ports.release(ports));
    const ipv4 = network.pool.allocate(request.ipv4);
    undo.defer(() => network.pool.release(ipv4));
    const link: ContainerInterface = {
      hostInterface: `v${this.#engineName.slice(0, 6)}${randomBytes(4).toString("hex")}`,
      ipv4,
      prefixLength: network.prefixLength,
      gateway,
      macAddress: request.macAddress || macAddressOf(ipv4),
    };
    const netnsPath = this.#netnsPath(containerId);
    undo.defer(() => removeNamespace(netnsPath));
    undo.defer(() => this.#rules.withdraw(containerId));
    // Both are awaited to their end, so that an undo never races the half that still runs.
    const results = await Promise.allSettled([
      createNamespace(netnsPath, link, { mtu, internal }).then(() =>
        attachToBridge(link.hostInterface, bridgeName, ports.length > 0),
      ),
      this.#rules.publish(containerId, publishedPorts(ports, ipv4)).then(() => forgetUdpFlows(ports)),
    ]);
    for (const result of results) if (result.status === "rejected") throw result.reason;
    undo.move();
    return { containerId, endpointId, networkId: network.record.id, netnsPath, ...link, ports };
  }

  async #reservePorts(request: ConnectRequest, endpointId: string): Promise<readonly PortBinding[]> {
    try {
      return await this.#ports.reserve(request.ports);
    } catch (error) {
      const name = request.containerName ?? request.containerId.slice(0, 12);
      throw withPrefix(`driver failed programming external connectivity on endpoint ${name} (${endpointId})`, error);
    }
  }

  #stateOf(record: NetworkRecord): NetworkState {
    let state = this.#networks.get(record.id);
    if (!state) {
      const subnet = parseSubnet(record.subnet);
      if (!subnet) throw new InvalidParameterError(`invalid subnet ${record.subnet}: an IPv4 CIDR block is needed`);
      const pool = new AddressPool(subnet, record.gateway);
      state = { record, pool, prefixLength: subnet.prefixLength, ready: undefined };
      this.#networks.set(record.id, state);
    }
    return state;
  }

  /** Bridge and rules of a network, made once; a failed try is not remembered. */
  #ready(state: NetworkState): Promise<number> {
    state.ready ??= this.#prepare(state.record).catch((error) => {
      state.ready = undefined;
      throw error;
    });
    return state.ready;
  }

  async #prepare(network: NetworkRecord): Promise<number> {
    const [mtu] = await Promise.all([networkMtu(network), passForeignFirewalls(network.bridgeName)]);
    await ensureBridge(network, mtu);
    await this.#rules.addNetwork(network);
    return mtu;
  }

  #netnsPath(containerId: string): string {
    return join(this.#netnsDirectory, containerId);
  }

  /**
   * Frees ports and address. The kernel needs 15 ms to take back a rule or a veth pair (it waits for every CPU to stop using them); nobody has to
   * wait for that: a later user of the port queues behind in the rule table, and the address is free only when the pair is gone.
   */
  #release(endpoint: NetworkEndpoint): void {
    this.#ports.release(endpoint.ports);
    this.#inBackground(this.#rules.withdraw(endpoint.containerId));
    if (!endpoint.hostInterface) return;
    // The kernel deletes the pair with its namespace, but only when the last process has left that.
    const deleted = deleteInterface(endpoint.hostInterface);
    this.#inBackground(deleted.then(() => this.#networks.get(endpoint.networkId)?.pool.release(endpoint.ipv4)));
  }

  #inBackground(work: Promise<unknown>): void {
    // What could not be taken back here is taken back by cleanUp or the next replacement of the table.
    const tracked = work.then(
      () => void this.#background.delete(tracked),
      () => void this.#background.delete(tracked),
    );
    this.#background.add(tracked);
  }

  async #removeNamespaces(condition: (containerId: string) => boolean): Promise<void> {
    const names = await readdir(this.#netnsDirectory).catch(() => []);
    await Promise.all(names.filter(condition).map((name) => removeNamespace(this.#netnsPath(name))));
  }
}

function publishedPorts(ports: readonly PortBinding[], containerAddress: string): readonly PublishedPort[] {
  return ports.map((port) => ({ ...port, containerAddress }));
}

function withPrefix(prefix: string, error: unknown): unknown {
  const message = `${prefix}: ${errorMessage(error)}`;
  if (error instanceof ConflictError) return new ConflictError(message, { cause: error });
  if (error instanceof InvalidParameterError) return new InvalidParameterError(message, { cause: error });
  return new SystemError(message, { cause: error });
}
