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
 * Hands out the addresses of one block. Round robin, as Docker does: a freed address rests as long as possible, so that a peer's stale
 * ARP entry or connection does not meet a new container.
 */
export class AddressPool {
  readonly #subnet: Subnet;
  /** The part of the subnet that is handed out unasked: `--ip-range`, or all of it. */
  readonly #range: Subnet;
  readonly #used = new Set<bigint>();
  #last: bigint;

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
    this.#last = this.#range.base - 1n;
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
    if (containsAddress(this.#range, address) && address.value > this.#last) this.#last = address.value;
  }

  /** Gives an address back. */
  release(text: string): void {
    const address = parseAddress(text);
    if (address) this.#used.delete(address.value);
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
    const { base } = this.#range;
    const size = lastAddress(this.#range) - base + 1n;
    // No more steps than there are taken addresses can be in vain.
    const steps = BigInt(this.#used.size) + 1n;
    for (let step = 1n; step <= size && step <= steps; step++) {
      const candidate = base + ((this.#last - base + step) % size);
      if (this.#used.has(candidate)) continue;
      this.#last = candidate;
      return candidate;
    }
    throw new UnavailableError(`no available IPv${this.#subnet.family} addresses on this network's address pools`);
  }
}

function blockOf(text: string): Subnet {
  const subnet = parseSubnet(text);
  if (!subnet) throw new InvalidParameterError(`invalid subnet ${text}: invalid CIDR block notation`);
  return subnet;
}
