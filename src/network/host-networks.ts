import { InvalidParameterError } from "#errors/errors.ts";
import { AddressPool } from "./address-pool.ts";
import { deleteBridge, ensureBridge, networkMtu } from "./interfaces/bridge.ts";
import { linkExists } from "./interfaces/link.ts";
import { checkParent } from "./interfaces/parent-link.ts";
import { withMachineLock } from "./machine-lock.ts";
import type { EndpointRequest, NetworkRecord } from "./network-driver.ts";
import { forgetForeignFirewalls, passForeignFirewalls } from "./nft/foreign-firewall.ts";
import type { RuleTable } from "./nft/rule-table.ts";
import { type SubnetSource, settleBlocks, takenSubnets } from "./subnet-choice.ts";

/** The addresses of an endpoint, and their prefix lengths in bits; "" and 0 where the network has none of the family. */
export interface EndpointAddresses {
  readonly ipv4: string;
  readonly prefixLength: number;
  readonly ipv6: string;
  readonly prefixLength6: number;
}

/** A network that exists on this host. */
export interface ReadyNetwork {
  readonly record: NetworkRecord;
  /** Bytes. */
  readonly mtu: number;
  /** Its bridge was not there before. */
  readonly isNew: boolean;
}

interface NetworkState {
  record: NetworkRecord;
  pools: Pools;
  /** Undefined until first use. */
  ready: Promise<ReadyNetwork> | undefined;
}

interface Pools {
  readonly ipv4: AddressPool | undefined;
  readonly ipv6: AddressPool | undefined;
}

export interface HostNetworksOptions extends Pick<SubnetSource, "engineName" | "spread" | "pools"> {
  /** Let this host forward packets for networks that are not internal. */
  readonly forward: boolean;
}

/** The networks that an engine has met: what they are on this host, and which of their addresses are taken. */
export class HostNetworks {
  readonly #options: HostNetworksOptions;
  readonly #rules: RuleTable;
  readonly #states = new Map<string, NetworkState>();

  constructor(options: HostNetworksOptions, rules: RuleTable) {
    this.#options = options;
    this.#rules = rules;
  }

  /** Takes note of a network without touching the host. */
  meet(record: NetworkRecord): NetworkState {
    let state = this.#states.get(record.id);
    if (!state) {
      state = { record, pools: poolsOf(record), ready: undefined };
      this.#states.set(record.id, state);
    }
    return state;
  }

  record(id: string): NetworkRecord | undefined {
    return this.#states.get(id)?.record;
  }

  records(): readonly NetworkRecord[] {
    return [...this.#states.values()].map(({ record }) => record);
  }

  /** See NetworkDriver.ensureNetwork. A failed try is not remembered. */
  ensure(record: NetworkRecord, keep: (network: NetworkRecord) => void = () => undefined): Promise<ReadyNetwork> {
    const state = this.meet(record);
    state.ready ??= this.#prepare(state, keep).catch((error: unknown) => {
      state.ready = undefined;
      throw error;
    });
    return state.ready;
  }

  /** The networks whose bridge has gone, as the kernel tells of one by name, or of some unnamed: their next use makes it anew. */
  lost(interfaceName: string | undefined): readonly NetworkRecord[] {
    const isIt = ({ record, ready }: NetworkState): boolean =>
      ready !== undefined &&
      record.driver === "bridge" &&
      (interfaceName === undefined || record.interfaceName === interfaceName);
    const lost = [...this.#states.values()].filter(isIt);
    for (const state of lost) state.ready = undefined;
    return lost.map(({ record }) => record);
  }

  /** Takes addresses of a network that was met. Throws what AddressPool.allocate does. */
  allocate({ network, ipv4, ipv6 }: EndpointRequest): EndpointAddresses {
    const { pools } = this.meet(network);
    if (ipv6 && !pools.ipv6) {
      throw new InvalidParameterError(
        `invalid endpoint settings:\nno configured subnet or ip-range contain the IP address ${ipv6}`,
      );
    }
    const first = pools.ipv4?.allocate(ipv4) ?? "";
    try {
      const second = pools.ipv6?.allocate(ipv6) ?? "";
      return {
        ipv4: first,
        prefixLength: pools.ipv4?.prefixLength ?? 0,
        ipv6: second,
        prefixLength6: pools.ipv6?.prefixLength ?? 0,
      };
    } catch (error) {
      pools.ipv4?.release(first);
      throw error;
    }
  }

  /** Marks addresses as taken that a running container has. */
  adopt(networkId: string, { ipv4, ipv6 }: { readonly ipv4: string; readonly ipv6: string }): void {
    const pools = this.#states.get(networkId)?.pools;
    pools?.ipv4?.adopt(ipv4);
    pools?.ipv6?.adopt(ipv6);
  }

  /** Gives addresses back. */
  free(networkId: string, { ipv4, ipv6 }: { readonly ipv4: string; readonly ipv6: string }): void {
    const pools = this.#states.get(networkId)?.pools;
    pools?.ipv4?.release(ipv4);
    pools?.ipv6?.release(ipv6);
  }

  /** Takes the network off this host, and forgets it. Idempotent. */
  async remove(record: NetworkRecord): Promise<void> {
    await this.#states.get(record.id)?.ready?.catch(() => undefined);
    this.#states.delete(record.id);
    if (record.driver !== "bridge") return;
    await this.#rules.removeNetwork(record.id);
    if (!record.existing) await deleteBridge(record.interfaceName);
    await forgetForeignFirewalls(record.interfaceName);
  }

  async #prepare(state: NetworkState, keep: (network: NetworkRecord) => void): Promise<ReadyNetwork> {
    const { record } = state;
    const { interfaceName, driver } = record;
    const mtu = await networkMtu(record);
    const isNew = driver === "bridge" && !(await linkExists(interfaceName));
    const isSettled = record.ipv4?.subnet !== "" && record.ipv6?.subnet !== "";
    if (driver === "bridge" && !isNew && isSettled && !record.existing) await ensureBridge(record, mtu, this.#options);
    else await withMachineLock(this, () => this.#make(state, mtu, keep));
    if (driver === "bridge") {
      await Promise.all([passForeignFirewalls(interfaceName), this.#rules.addNetwork(state.record)]);
    }
    return { record: state.record, mtu, isNew };
  }

  /** The caller holds the machine's lock: what `takenSubnets` finds stays so until the bridge is there. */
  async #make(state: NetworkState, mtu: number, keep: (network: NetworkRecord) => void): Promise<void> {
    const { driver } = state.record;
    if (driver !== "bridge") await checkParent(state.record);
    const settled = settleBlocks(state.record, {
      ...this.#options,
      networks: this.records(),
      taken: await takenSubnets(),
    });
    // Written down before it is made: a crash in between leaves a network without a bridge, as a reboot does.
    keep(settled);
    // Where its blocks stay, so do the addresses that running containers have of them.
    if (!hasSameBlocks(state.record, settled)) state.pools = poolsOf(settled);
    state.record = settled;
    if (driver === "bridge") await ensureBridge(settled, mtu, this.#options);
  }
}

function hasSameBlocks(one: NetworkRecord, other: NetworkRecord): boolean {
  return JSON.stringify([one.ipv4, one.ipv6]) === JSON.stringify([other.ipv4, other.ipv6]);
}

function poolsOf({ ipv4, ipv6 }: NetworkRecord): Pools {
  return {
    ipv4: ipv4?.subnet ? new AddressPool(ipv4) : undefined,
    ipv6: ipv6?.subnet ? new AddressPool(ipv6) : undefined,
  };
}
