import { ConflictError, InvalidParameterError, UnavailableError } from "#errors/errors.ts";
import {
  containsAddress,
  formatAddress,
  lastAddress,
  parseAddress,
  parseSubnet,
  type Subnet,
} from "#lib/ip-address.ts";
import type { AddressBlock } from "./network-driver.ts";

/**
 * Hands out the addresses of one block, the lowest free one first, as Docker does: a container that is restarted has the address that it had, as a rule. Its
 * MAC address follows from it, so that no peer's ARP entry is stale.
 */
export class AddressPool {
  readonly #subnet: Subnet;
  /** The part of the subnet that is handed out unasked: `--ip-range`, or all of it. */
  readonly #range: Subnet;
  readonly #used = new Set<bigint>();
  /** None of the range below it is free. */
  #lowest: bigint;

  /** The first address (network or anycast), IPv4's broadcast address, the gateway's and the auxiliary ones are never handed out. */
  constructor(block: AddressBlock) {
    this.#subnet = blockOf(block.subnet);
    this.#range = block.ipRange ? blockOf(block.ipRange) : this.#subnet;
    this.#used.add(this.#subnet.base);
    if (this.#subnet.family === 4) this.#used.add(lastAddress(this.#subnet));
    for (const reserved of [block.gateway, ...Object.values(block.auxiliary)]) {
      const address = parseAddress(reserved);
      if (address) this.#used.add(address.value);
    }
    this.#lowest = this.#range.base;
  }

  /** Bits of the subnet's prefix. */
  get prefixLength(): number {
    return this.#subnet.prefixLength;
  }

  /**
   * Takes `wanted`, or the next free address. Throws InvalidParameterError if `wanted` is not of the subnet, ConflictError if it is
   * taken, UnavailableError if none is left.
   */
  allocate(wanted?: string): string {
    const value = wanted ? this.#check(wanted) : this.#next();
    this.#used.add(value);
    return formatAddress({ family: this.#subnet.family, value });
  }

  /** Marks an address as taken that a running container has. */
  adopt(text: string): void {
    const address = parseAddress(text);
    if (!address || !containsAddress(this.#subnet, address)) return;
    this.#used.add(address.value);
  }

  /** Gives an address back. */
  release(text: string): void {
    const address = parseAddress(text);
    if (!address || !this.#used.delete(address.value)) return;
    if (containsAddress(this.#range, address) && address.value < this.#lowest) this.#lowest = address.value;
  }

  #check(wanted: string): bigint {
    const address = parseAddress(wanted);
    if (address?.family !== this.#subnet.family) {
      throw new InvalidParameterError(`invalid IPv${this.#subnet.family} address: ${wanted}`);
    }
    if (!containsAddress(this.#subnet, address)) {
      throw new InvalidParameterError(
        `invalid endpoint settings:\nno configured subnet or ip-range contain the IP address ${wanted}`,
      );
    }
    if (this.#used.has(address.value)) throw new ConflictError("Address already in use");
    return address.value;
  }

  #next(): bigint {
    const last = lastAddress(this.#range);
    for (; this.#lowest <= last; this.#lowest++) {
      if (!this.#used.has(this.#lowest)) return this.#lowest++;
    }
    throw new UnavailableError(`no available IPv${this.#subnet.family} addresses on this network's address pools`);
  }
}

function blockOf(text: string): Subnet {
  const subnet = parseSubnet(text);
  if (!subnet) throw new InvalidParameterError(`invalid subnet ${text}: invalid CIDR block notation`);
  return subnet;
}
