import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ConflictError, InvalidParameterError } from "#errors/errors.ts";
import { watchDeletedLinks } from "#sys/netlink/link-events.ts";
import { watchNftables } from "#sys/netlink/nftables-events.ts";
import { planEndpoints, portPlan } from "./endpoint-plan.ts";
import { HostNetworks } from "./host-networks.ts";
import { addToSandbox, changeSandboxRoutes, makeSandbox, removeFromSandbox } from "./interfaces/sandbox-interfaces.ts";
import { attachAgain, removeLostNamespaces, removeLostPairs } from "./lost-parts.ts";
import { redirectNames } from "./names/redirect.ts";
import { removeNamespace } from "./namespace.ts";
import type {
  EndpointRequest,
  NetworkDriver,
  NetworkProblem,
  NetworkRecord,
  NetworkSandbox,
  SandboxRequest,
} from "./network-driver.ts";
import { RuleTable } from "./nft/rule-table.ts";
import { PublishedPorts } from "./published-ports.ts";
import type { PortRelay } from "./relay/port-relay.ts";
import type { AddressPoolBlock } from "./subnet-choice.ts";

export interface LinuxNetworkDriverOptions {
  /** Unique among the engines of this host, 1 to 8 of [a-z0-9]: it names the nft table and the host ends of veth pairs. */
  readonly engineName: string;
  /** Where namespaces are pinned, under the exec root. */
  readonly netnsDirectory: string;
  readonly relay: PortRelay;
  /** Pass on what the kernel does not lead to a container. Default true. */
  readonly relays?: boolean;
  /** The families that rules are made for. Default both. */
  readonly firewall?: { readonly ipv4: boolean; readonly ipv6: boolean };
  /** Let this host forward packets. Default true. */
  readonly forward?: boolean;
  /** Where subnets are chosen from. Default: where Docker does. */
  readonly pools?: readonly AddressPoolBlock[] | undefined;
  /** Begin elsewhere in Docker's pools than the default engine does, when a subnet is to be chosen. */
  readonly spread?: boolean;
}

/** Linux bridges, veth pairs, macvlan and ipvlan links by rtnetlink, and nftables by way of `nft`. */
export class LinuxNetworkDriver implements NetworkDriver {
  readonly #engineName: string;
  readonly #netnsDirectory: string;
  readonly #rules: RuleTable;
  readonly #networks: HostNetworks;
  readonly #ports: PublishedPorts;
  readonly #sandboxes = new Map<string, NetworkSandbox>();
  readonly #background = new Set<Promise<void>>();
  /** What is being given back of containers that have ended. */
  readonly #leaving = new Map<string, Promise<unknown>>();
  #watches: readonly Disposable[] | undefined;

  constructor(options: LinuxNetworkDriverOptions) {
    const { engineName, netnsDirectory, relay, spread = false, forward = true, pools } = options;
    const { relays = true, firewall = { ipv4: true, ipv6: true } } = options;
    if (!/^[a-z0-9]{1,8}$/.test(engineName)) {
      throw new InvalidParameterError(`invalid engine name "${engineName}": 1 to 8 of [a-z0-9] are allowed`);
    }
    this.#engineName = engineName;
    this.#netnsDirectory = netnsDirectory;
    const families = [...(firewall.ipv4 ? [4 as const] : []), ...(firewall.ipv6 ? [6 as const] : [])];
    this.#rules = new RuleTable(`berth_${engineName}`, families);
    this.#networks = new HostNetworks({ engineName, spread, forward, pools }, this.#rules);
    const relaying = relays ? (firewall.ipv4 ? "unreachable" : "all") : "nothing";
    this.#ports = new PublishedPorts(this.#rules, relay, relaying, (id) => this.#networks.record(id));
  }

  async ensureNetwork(network: NetworkRecord, keep: (network: NetworkRecord) => void): Promise<NetworkRecord> {
    const { record } = await this.#networks.ensure(network, keep);
    if (record.driver === "bridge") this.#watch();
    return record;
  }

  async removeNetwork(network: NetworkRecord): Promise<void> {
    await this.#networks.remove(network);
  }

  async open(request: SandboxRequest): Promise<NetworkSandbox> {
    const { containerId } = request;
    if (this.#sandboxes.has(containerId)) throw new ConflictError(`container ${containerId} is already connected`);
    const netnsPath = this.#netnsPath(containerId);
    // One that is restarted is to have the address that it had.
    await this.#leaving.get(containerId);
    await using undo = new AsyncDisposableStack();
    const planned = await planEndpoints(this.#networks, this.#hostPrefix(), request.endpoints, [], undo);
    const endpoints = planned.map(({ endpoint }) => endpoint);
    const plan = portPlan(request, planned);
    const ports = await this.#ports.reserve(plan);
    undo.defer(() => this.#ports.free(ports));
    undo.defer(() => removeNamespace(netnsPath));
    undo.defer(() => this.#ports.withdraw(containerId));
    // Both are awaited to their end, so that an undo never races the half that still runs.
    const results = await Promise.allSettled([
      makeSandbox(netnsPath, planned, ports.length > 0).then(() =>
        request.withNames ? redirectNames(netnsPath) : undefined,
      ),
      this.#ports.lead(plan, ports),
    ]);
    for (const result of results) if (result.status === "rejected") throw result.reason;
    undo.move();
    const sandboxId = randomBytes(32).toString("hex");
    const names = request.withNames ? { hasNames: true } : {};
    return this.#keep({ containerId, sandboxId, netnsPath, endpoints, portRequests: request.ports, ports, ...names });
  }

  async redirectNames(containerId: string): Promise<NetworkSandbox> {
    const sandbox = this.#sandbox(containerId);
    if (sandbox.hasNames) return sandbox;
    await redirectNames(sandbox.netnsPath);
    return this.#keep({ ...sandbox, hasNames: true });
  }

  async attach(containerId: string, request: EndpointRequest): Promise<NetworkSandbox> {
    const before = this.#sandbox(containerId);
    await using undo = new AsyncDisposableStack();
    const [planned] = await planEndpoints(this.#networks, this.#hostPrefix(), [request], before.endpoints, undo);
    if (!planned) return before;
    const { endpoint } = planned;
    const endpoints = [...before.endpoints, endpoint];
    undo.defer(() => removeFromSandbox(before.netnsPath, endpoint));
    undo.defer(() => changeSandboxRoutes(before.netnsPath, endpoints, before.endpoints));
    await addToSandbox(before.netnsPath, planned, before.portRequests.length > 0, before.endpoints);
    const plan = { ...portPlan({ containerId, endpoints: [], ports: before.portRequests }, [planned]), endpoints };
    const ports = await this.#ports.follow(plan, before);
    undo.move();
    return this.#keep({ ...before, endpoints, ports });
  }

  async detach(containerId: string, networkId: string): Promise<NetworkSandbox> {
    const before = this.#sandbox(containerId);
    const gone = before.endpoints.find((endpoint) => endpoint.networkId === networkId);
    if (!gone) return before;
    const endpoints = before.endpoints.filter((endpoint) => endpoint !== gone);
    const plan = { ...portPlan({ containerId, endpoints: [], ports: before.portRequests }, []), endpoints };
    const ports = await this.#ports.follow(plan, before);
    // The new routes first: the container is never without one.
    await changeSandboxRoutes(before.netnsPath, before.endpoints, endpoints);
    await removeFromSandbox(before.netnsPath, gone);
    this.#networks.free(networkId, gone);
    return this.#keep({ ...before, endpoints, ports });
  }

  async close(containerId: string): Promise<void> {
    const sandbox = this.#sandboxes.get(containerId);
    this.#sandboxes.delete(containerId);
    if (sandbox) this.#release(sandbox);
    await removeNamespace(this.#netnsPath(containerId));
  }

  async restore(
    sandboxes: readonly NetworkSandbox[],
    networks: readonly NetworkRecord[],
  ): Promise<readonly NetworkProblem[]> {
    for (const network of networks) this.#networks.meet(network);
    for (const sandbox of sandboxes) {
      this.#sandboxes.set(sandbox.containerId, sandbox);
      for (const endpoint of sandbox.endpoints) this.#networks.adopt(endpoint.networkId, endpoint);
    }
    await this.#ports.adopt(sandboxes);
    const inUse = new Set(sandboxes.flatMap(({ endpoints }) => endpoints.map(({ networkId }) => networkId)));
    const problems: NetworkProblem[] = [];
    for (const network of networks.filter(({ id }) => inUse.has(id))) {
      await this.#restoreNetwork(network).catch((error: unknown) => problems.push({ network: network.name, error }));
    }
    // Rules of containers that ended while no engine ran would swallow their ports' traffic.
    if (!this.#rules.isOn || (inUse.size === 0 && networks.length > 0)) await this.#rules.remove();
    await removeLostNamespaces(this.#netnsDirectory, (containerId) => this.#sandboxes.has(containerId));
    if (networks.length > 0) await removeLostPairs(this.#hostPrefix(), [...this.#sandboxes.values()]);
    return problems;
  }

  release(): void {
    for (const watch of this.#watches ?? []) watch[Symbol.dispose]();
    this.#watches = undefined;
  }

  async cleanUp(): Promise<void> {
    this.release();
    await Promise.all([...this.#sandboxes.keys()].map((containerId) => this.close(containerId)));
    await removeLostNamespaces(this.#netnsDirectory, () => false);
    await Promise.all(this.#background);
    for (const record of this.#networks.records()) await this.#networks.remove(record);
    await this.#rules.remove();
  }

  #netnsPath(containerId: string): string {
    return join(this.#netnsDirectory, containerId);
  }

  /** How the names of this engine's host interfaces begin. */
  #hostPrefix(): string {
    return `v${this.#engineName.slice(0, 6)}`;
  }

  #sandbox(containerId: string): NetworkSandbox {
    const sandbox = this.#sandboxes.get(containerId);
    if (!sandbox) throw new ConflictError(`container ${containerId} has no network namespace of its own`);
    return sandbox;
  }

  #keep(sandbox: NetworkSandbox): NetworkSandbox {
    this.#sandboxes.set(sandbox.containerId, sandbox);
    return sandbox;
  }

  /**
   * Frees ports and addresses. The kernel needs 15 ms to take back a veth pair (it waits for every CPU to stop using it), and the relay as long as its
   * process; nobody has to wait for that: a later user of the port waits its turn, and the address is free only when the pair is gone.
   */
  #release({ containerId, ports, endpoints, netnsPath }: NetworkSandbox): void {
    this.#ports.free(ports);
    this.#inBackground(this.#ports.withdraw(containerId));
    const freed = endpoints.map(async (endpoint) => {
      // The kernel deletes the pair with its namespace, but only when the last process has left that.
      if (endpoint.hostInterface) await removeFromSandbox(netnsPath, endpoint);
      this.#networks.free(endpoint.networkId, endpoint);
    });
    const left = Promise.allSettled(freed).then(() => void this.#leaving.delete(containerId));
    this.#leaving.set(containerId, left);
    this.#inBackground(left);
  }

  #inBackground(work: Promise<unknown>): void {
    // What could not be taken back here is taken back by cleanUp or the next replacement of the table.
    const tracked = work.then(
      () => void this.#background.delete(tracked),
      () => void this.#background.delete(tracked),
    );
    this.#background.add(tracked);
  }

  /** Puts back the rules that somebody else changes or flushes, and the bridges that somebody deletes. The kernel tells, or tells that it cannot. */
  #watch(): void {
    this.#watches ??= [
      watchNftables((transaction) => {
        const isOthers = transaction?.tables.has(this.#rules.name) && !this.#rules.isOwn(transaction.port);
        if (!transaction || isOthers) this.#inBackground(this.#rules.replace());
      }),
      watchDeletedLinks((name) => {
        for (const network of this.#networks.lost(name)) this.#inBackground(this.#restoreNetwork(network));
      }),
    ];
  }

  /** A network that containers are on: where somebody deleted its bridge, they are attached to the new one. */
  async #restoreNetwork(network: NetworkRecord): Promise<void> {
    const sandboxes = [...this.#sandboxes.values()].filter(({ endpoints }) =>
      endpoints.some(({ networkId }) => networkId === network.id),
    );
    if (sandboxes.length === 0) return;
    const ready = await this.#networks.ensure(network);
    if (ready.record.driver === "bridge") this.#watch();
    if (ready.isNew) await attachAgain(ready, sandboxes);
  }
}
