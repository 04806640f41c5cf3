import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ConflictError, InvalidParameterError } from "#errors/errors.ts";
import { runCommand } from "#sys/command.ts";
import { killByArgument } from "#sys/find-processes.ts";
import { watchNftables } from "#sys/nftables-events.ts";
import {
  addParentLink,
  attachToBridge,
  isMadeInside,
  makeVethCommands,
  type PlannedInterface,
} from "./container-interface.ts";
import { addRouteCommands, changeRouteCommands, gatewayEndpoint } from "./default-route.ts";
import { HostNetworks } from "./host-networks.ts";
import { deleteInterface, linkExists } from "./link.ts";
import { macAddressOf } from "./mac-address.ts";
import { redirectNames } from "./names/redirect.ts";
import { createNamespace, namespaceFlag, removeNamespace, runInNamespace } from "./namespace.ts";
import type {
  EndpointRequest,
  NetworkDriver,
  NetworkEndpoint,
  NetworkProblem,
  NetworkRecord,
  NetworkSandbox,
  SandboxRequest,
} from "./network-driver.ts";
import { NETWORK_OPTION } from "./network-options.ts";
import { type PortPlan, PublishedPorts } from "./published-ports.ts";
import { RuleTable } from "./rule-table.ts";

export interface LinuxNetworkDriverOptions {
  /** Unique among the engines of this host, 1 to 8 of [a-z0-9]: it names the nft table and the host ends of veth pairs. */
  readonly engineName: string;
  /** Where namespaces are pinned, under the exec root. */
  readonly netnsDirectory: string;
  /** Begin elsewhere in Docker's pools than the default engine does, when a subnet is to be chosen. */
  readonly spread?: boolean;
}

/** Linux bridges, veth pairs, macvlan and ipvlan links, and nftables, by way of `ip` and `nft`. */
export class LinuxNetworkDriver implements NetworkDriver {
  readonly #engineName: string;
  readonly #netnsDirectory: string;
  readonly #rules: RuleTable;
  readonly #networks: HostNetworks;
  readonly #ports: PublishedPorts;
  readonly #sandboxes = new Map<string, NetworkSandbox>();
  readonly #background = new Set<Promise<void>>();
  #ruleWatch: Disposable | undefined;

  constructor({ engineName, netnsDirectory, spread = false }: LinuxNetworkDriverOptions) {
    if (!/^[a-z0-9]{1,8}$/.test(engineName)) {
      throw new InvalidParameterError(`invalid engine name "${engineName}": 1 to 8 of [a-z0-9] are allowed`);
    }
    this.#engineName = engineName;
    this.#netnsDirectory = netnsDirectory;
    this.#rules = new RuleTable(`berth_${engineName}`);
    this.#networks = new HostNetworks(engineName, spread, this.#rules);
    this.#ports = new PublishedPorts(this.#rules);
  }

  async ensureNetwork(network: NetworkRecord, keep: (network: NetworkRecord) => void): Promise<NetworkRecord> {
    const { record } = await this.#networks.ensure(network, keep);
    if (record.driver === "bridge") this.#watchRules();
    return record;
  }

  async removeNetwork(network: NetworkRecord): Promise<void> {
    await this.#networks.remove(network);
  }

  async open(request: SandboxRequest): Promise<NetworkSandbox> {
    const { containerId } = request;
    if (this.#sandboxes.has(containerId)) throw new ConflictError(`container ${containerId} is already connected`);
    const netnsPath = this.#netnsPath(containerId);
    await using undo = new AsyncDisposableStack();
    const planned = await this.#plan(request.endpoints, [], undo);
    const endpoints = planned.map(({ endpoint }) => endpoint);
    const plan = portPlan(request, planned);
    const ports = await this.#ports.reserve(plan);
    undo.defer(() => this.#ports.free(ports));
    undo.defer(() => removeNamespace(netnsPath));
    undo.defer(() => this.#ports.withdraw(containerId));
    // Both are awaited to their end, so that an undo never races the half that still runs.
    const results = await Promise.allSettled([
      this.#makeSandbox(netnsPath, planned, ports.length > 0).then(() =>
        request.withNames ? redirectNames(netnsPath) : undefined,
      ),
      this.#ports.lead(containerId, ports, endpoints),
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
    const [planned] = await this.#plan([request], before.endpoints, undo);
    if (!planned) return before;
    const { endpoint } = planned;
    const endpoints = [...before.endpoints, endpoint];
    undo.defer(() => this.#removeInterface(before.netnsPath, endpoint));
    await this.#addInterface(before.netnsPath, planned, before.portRequests.length > 0);
    await runInNamespace(before.netnsPath, changeRouteCommands(before.endpoints, endpoints));
    undo.defer(() => runInNamespace(before.netnsPath, changeRouteCommands(endpoints, before.endpoints)));
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
    await runInNamespace(before.netnsPath, changeRouteCommands(before.endpoints, endpoints));
    await this.#removeInterface(before.netnsPath, gone);
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
    // A namespace that is still being made would come after the sweep below.
    await killByArgument((argument) => argument.startsWith(namespaceFlag(this.#netnsDirectory)));
    for (const network of networks) this.#networks.meet(network);
    for (const sandbox of sandboxes) {
      this.#sandboxes.set(sandbox.containerId, sandbox);
      for (const endpoint of sandbox.endpoints) this.#networks.adopt(endpoint.networkId, endpoint);
      await this.#ports.adopt(sandbox);
    }
    const inUse = new Set(sandboxes.flatMap(({ endpoints }) => endpoints.map(({ networkId }) => networkId)));
    const problems: NetworkProblem[] = [];
    for (const network of networks.filter(({ id }) => inUse.has(id))) {
      await this.#restoreNetwork(network).catch((error: unknown) => problems.push({ network: network.name, error }));
    }
    // Rules of containers that ended while no engine ran would swallow their ports' traffic.
    if (inUse.size === 0 && networks.length > 0) await this.#rules.remove();
    await this.#removeNamespaces((containerId) => !this.#sandboxes.has(containerId));
    if (networks.length > 0 && (await this.#removeInterfaces())) await this.#restoreRoutes();
    return problems;
  }

  release(): void {
    this.#ruleWatch?.[Symbol.dispose]();
    this.#ruleWatch = undefined;
  }

  async cleanUp(): Promise<void> {
    this.release();
    await Promise.all([...this.#sandboxes.keys()].map((containerId) => this.close(containerId)));
    await this.#removeNamespaces(() => true);
    await Promise.all(this.#background);
    for (const record of this.#networks.records()) await this.#networks.remove(record);
    await this.#rules.remove();
  }

  /** Endpoints with addresses, which `undo` gives back; nothing is made yet. */
  async #plan(
    requests: readonly EndpointRequest[],
    existing: readonly NetworkEndpoint[],
    undo: AsyncDisposableStack,
  ): Promise<readonly PlannedInterface[]> {
    const planned: PlannedInterface[] = [];
    const taken = new Set(existing.map(({ interfaceName }) => interfaceName));
    for (const request of requests) {
      const { record, mtu } = await this.#networks.ensure(request.network);
      if (record.driver === "bridge") this.#watchRules();
      const addresses = this.#networks.allocate({ ...request, network: record });
      undo.defer(() => this.#networks.free(record.id, addresses));
      const interfaceName = request.interfaceName ?? freeName(taken);
      taken.add(interfaceName);
      const isBridge = record.driver === "bridge";
      const endpoint: NetworkEndpoint = {
        endpointId: randomBytes(32).toString("hex"),
        networkId: record.id,
        networkName: record.name,
        hostInterface: isBridge ? `${this.#hostPrefix()}${randomBytes(4).toString("hex")}` : "",
        interfaceName,
        ...addresses,
        gateway: record.internal ? "" : (record.ipv4?.gateway ?? ""),
        gateway6: record.internal ? "" : (record.ipv6?.gateway ?? ""),
        macAddress: request.macAddress || macAddressOf(addresses.ipv4),
        gatewayPriority: request.gatewayPriority ?? 0,
      };
      planned.push({ endpoint, network: record, mtu });
    }
    return planned;
  }

  /** The namespace with all interfaces; one `ip` process makes it where all are veth pairs. */
  async #makeSandbox(path: string, planned: readonly PlannedInterface[], hairpin: boolean): Promise<void> {
    const inside = planned.filter(isMadeInside);
    const others = planned.filter((one) => !isMadeInside(one));
    const routes = addRouteCommands(planned.map(({ endpoint }) => endpoint));
    await createNamespace(path, [...inside.flatMap(makeVethCommands), ...(others.length === 0 ? routes : [])]);
    for (const one of others) await addParentLink(path, one);
    if (others.length > 0) await runInNamespace(path, routes);
    await Promise.all(inside.map((one) => attachToBridge(one, hairpin)));
  }

  async #addInterface(path: string, planned: PlannedInterface, hairpin: boolean): Promise<void> {
    if (!isMadeInside(planned)) return addParentLink(path, planned);
    await runInNamespace(path, makeVethCommands(planned));
    await attachToBridge(planned, hairpin);
  }

  /** Idempotent. */
  async #removeInterface(path: string, endpoint: NetworkEndpoint): Promise<void> {
    if (endpoint.hostInterface) return deleteInterface(endpoint.hostInterface);
    const command = ["ip", "link", "delete", "dev", endpoint.interfaceName];
    await runCommand("nsenter", [namespaceFlag(path), ...command], { okCodes: [0, 1] });
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
   * Frees ports and addresses. The kernel needs 15 ms to take back a rule or a veth pair (it waits for every CPU to stop using them); nobody
   * has to wait for that: a later user of the port queues behind in the rule table, and the address is free only when the pair is gone.
   */
  #release({ containerId, ports, endpoints, netnsPath }: NetworkSandbox): void {
    this.#ports.free(ports);
    this.#inBackground(this.#ports.withdraw(containerId));
    for (const endpoint of endpoints) {
      // The kernel deletes the pair with its namespace, but only when the last process has left that.
      const deleted = endpoint.hostInterface ? this.#removeInterface(netnsPath, endpoint) : Promise.resolve();
      this.#inBackground(deleted.then(() => this.#networks.free(endpoint.networkId, endpoint)));
    }
  }

  #inBackground(work: Promise<unknown>): void {
    // What could not be taken back here is taken back by cleanUp or the next replacement of the table.
    const tracked = work.then(
      () => void this.#background.delete(tracked),
      () => void this.#background.delete(tracked),
    );
    this.#background.add(tracked);
  }

  /** Puts the rules back when somebody else changes or flushes them, or the kernel cannot tell who did. */
  #watchRules(): void {
    this.#ruleWatch ??= watchNftables((transaction) => {
      const isOthers = transaction?.tables.has(this.#rules.name) && !this.#rules.isOwn(transaction.pid);
      if (!transaction || isOthers) this.#inBackground(this.#rules.replace());
    });
  }

  async #removeNamespaces(condition: (containerId: string) => boolean): Promise<void> {
    const names = await readdir(this.#netnsDirectory).catch(() => []);
    await Promise.all(names.filter(condition).map((name) => removeNamespace(this.#netnsPath(name))));
  }

  /** Host ends of veth pairs that no endpoint has: an engine died while it connected or disconnected a running container. True if there were any. */
  async #removeInterfaces(): Promise<boolean> {
    const known = new Set(
      [...this.#sandboxes.values()].flatMap(({ endpoints }) => endpoints.map(({ hostInterface }) => hostInterface)),
    );
    const { stdout } = await runCommand("ip", ["-oneline", "link", "show", "type", "veth"]);
    const names = [...stdout.matchAll(/^\d+: ([^:@\s]+)/gm)].map(([, name]) => name ?? "");
    const isLost = (name: string): boolean =>
      name.startsWith(this.#hostPrefix()) && name.length === this.#hostPrefix().length + 8 && !known.has(name);
    const lost = names.filter(isLost);
    await Promise.all(lost.map(deleteInterface));
    return lost.length > 0;
  }

  /**
   * A network that containers are on. Where somebody deleted its bridge, they are attached to the new one. After a reboot their interfaces are gone
   * with the bridge: the engine learns next that the containers have ended.
   */
  async #restoreNetwork(network: NetworkRecord): Promise<void> {
    const { record, mtu, isNew } = await this.#networks.ensure(network);
    if (record.driver === "bridge") this.#watchRules();
    if (!isNew) return;
    for (const { endpoints, portRequests } of this.#sandboxes.values()) {
      const endpoint = endpoints.find(
        ({ networkId, hostInterface }) => networkId === network.id && hostInterface !== "",
      );
      if (endpoint && (await linkExists(endpoint.hostInterface)))
        await attachToBridge({ endpoint, network: record, mtu }, portRequests.length > 0);
    }
  }

  /** A default route goes with its interface. */
  async #restoreRoutes(): Promise<void> {
    for (const { netnsPath, endpoints } of this.#sandboxes.values()) {
      await runInNamespace(netnsPath, changeRouteCommands([], endpoints));
    }
  }
}

function portPlan(request: SandboxRequest, planned: readonly PlannedInterface[]): PortPlan {
  const endpoints = planned.map(({ endpoint }) => endpoint);
  const outside = gatewayEndpoint(endpoints, 4);
  const network = planned.find(({ endpoint }) => endpoint === outside)?.network;
  return {
    containerId: request.containerId,
    containerName: request.containerName ?? request.containerId.slice(0, 12),
    requests: request.ports,
    endpoints,
    hostBinding: network?.options[NETWORK_OPTION.hostBinding] ?? "",
  };
}

function freeName(taken: ReadonlySet<string>): string {
  let index = 0;
  while (taken.has(`eth${index}`)) index++;
  return `eth${index}`;
}
