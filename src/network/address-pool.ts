import { ConflictError, InvalidParameterError, UnavailableError } from "#errors/errors.ts";
import { containsAddress, formatIpv4, type Ipv4Subnet, lastAddress, parseIpv4 } from "#lib/ip-address.ts";

/**
 * Hands out the addresses of one subnet. Round robin, as Docker does: a freed address rests as long as possible, so that a peer's stale
 * ARP entry or connection does not meet a new container.
 */
export class AddressPool {
  readonly #subnet: Ipv4Subnet;
  readonly #used = new Set<number>();
  #last: number;

  /** Network, broadcast and `gateway` address are never handed out. */
  constructor(subnet: Ipv4Subnet, gateway: string) {
    this.#subnet = subnet;
    this.#used.add(subnet.base).add(lastAddress(subnet));
    const gatewayNumber = parseIpv4(gateway);
    if (gatewayNumber !== undefined) this.#used.add(gatewayNumber);
    this.#last = subnet.base;
  }

  /**
   * Takes `wanted`, or the next free address. Throws InvalidParameterError if `wanted` is not of the subnet, ConflictError if it is
   * taken, UnavailableError if none is left.
   */
  allocate(wanted?: string): string {
    const address = wanted ? this.#check(wanted) : this.#next();
    this.#used.add(address);
    return formatIpv4(address);
  }

  /** Marks an address as taken that a running container has. */
  adopt(address: string): void {
    const number = parseIpv4(address);
    if (number === undefined || !containsAddress(this.#subnet, number)) return;
    this.#used.add(number);
    this.#last = Math.max(this.#last, number);
  }

  /** Gives an address back. */
  release(address: string): void {
    const number = parseIpv4(address);
    if (number !== undefined) this.#used.delete(number);
  }

  #check(wanted: string): number {
    const number = parseIpv4(wanted);
    if (number === undefined) throw new InvalidParameterError(`invalid IPv4 address: ${wanted}`);
    if (!containsAddress(this.#subnet, number)) {
      throw new InvalidParameterError(
        `invalid config for network: invalid endpoint settings:\nno configured subnet contains IP address ${wanted}`,
      );
    }
    if (this.#used.has(number)) throw new ConflictError("Address already in use");
    return number;
  }

  #next(): number {
    const { base } = this.#subnet;
    const size = lastAddress(this.#subnet) - base + 1;
    for (let step = 1; step <= size; step++) {
      const candidate = base + ((this.#last - base + step) % size);
      if (this.#used.has(candidate)) continue;
      this.#last = candidate;
      return candidate;
    }
    throw new UnavailableError("no available IPv4 addresses on this network's address pools");
  }
}
