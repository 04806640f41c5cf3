import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { createServer, isIP, isIPv6 } from "node:net";
import { BerthError, ConflictError, errorCode, InvalidParameterError, SystemError } from "#errors/errors.ts";
import type { Family } from "#lib/ip-address.ts";
import type { PortBinding, PortRequest } from "./network-driver.ts";
import { PortRefusal } from "./relay/port-relay.ts";

/** IANA's dynamic ports, which Docker falls back to. */
const FALLBACK_RANGE: PortRange = { first: 49153, last: 65535 };

interface PortRange {
  readonly first: number;
  readonly last: number;
}

interface HeldSocket {
  close(): void;
}

const NOTHING: HeldSocket = { close: () => undefined };

/**
 * Reserves published ports by holding a bound socket for each as long as the port is published. The nft rules take the packets before
 * they reach the socket; the socket is there so that the kernel refuses the port to every other process, and so that a port which
 * another program or engine has is refused here. Docker's docker-proxy does the same at the price of a process per port; a socket in the engine
 * costs a file descriptor, 14 kB and 0.1 ms (measured). Binding and closing again would leave a hole: a server started later would get the port and no packet.
 * While the engine is down the rules still work, only the reservation pauses. Ports that the relay (relay/) passes on are held by it; the engine
 * tells it of them next: here they are only tried.
 */
export class PortAllocator {
  readonly #held = new Map<string, HeldSocket>();
  readonly #isRelayed: (hostIp: string) => boolean;
  #range: PortRange | undefined;
  #lastRandom = 0;

  /** `isRelayed`: whether the relay holds the ports of a host address. */
  constructor(isRelayed: (hostIp: string) => boolean) {
    this.#isRelayed = isRelayed;
  }

  /**
   * Reserves all of `requests` or none, on host addresses of the families that `familiesOf` gives for each. Returns them with host address and port filled in;
   * "every address" becomes one binding per family, with the same port. Throws ConflictError with Docker's words when a port is taken,
   * InvalidParameterError for an address of another family.
   */
  async reserve(
    requests: readonly PortRequest[],
    familiesOf: (request: PortRequest) => readonly Family[],
  ): Promise<readonly PortBinding[]> {
    const reserved = new Map<PortRequest, readonly PortBinding[]>();
    try {
      // Those that ask for a certain port come first: a chosen one must not take it from them.
      for (const request of requests.toSorted((one, other) => freedom(one) - freedom(other)))
        reserved.set(request, await this.#reserveOne(request, familiesOf(request)));
    } catch (error) {
      this.release([...reserved.values()].flat());
      throw error;
    }
    return requests.flatMap((request) => reserved.get(request) ?? []);
  }

  /**
   * Takes up ports that a running container has published before this engine started. A port that another program took in the meantime, or
   * whose address this host has no longer, is not held: the rules still lead it to the container.
   */
  async adopt(bindings: readonly PortBinding[]): Promise<void> {
    for (const binding of bindings) {
      if (binding.hostPort === 0) continue;
      if (this.#isRelayed(binding.hostIp)) {
        this.#held.set(keyOf(binding), NOTHING);
        continue;
      }
      try {
        await this.#hold(binding);
      } catch (error) {
        if (!(error instanceof BerthError)) throw error;
      }
    }
  }

  /** Gives ports back. Idempotent. */
  release(bindings: readonly PortBinding[]): void {
    for (const binding of bindings) {
      const key = keyOf(binding);
      this.#held.get(key)?.close();
      this.#held.delete(key);
    }
  }

  async #reserveOne(request: PortRequest, families: readonly Family[]): Promise<readonly PortBinding[]> {
    const addresses = hostAddresses(request, families);
    const { lastHostPort, ...single } = request;
    const bindings = addresses.map((hostIp): PortBinding => ({ ...single, hostIp }));
    if (request.hostPort === 0) {
      this.#range ??= await ephemeralRange();
      return this.#holdFirstFree(bindings, this.#range, true);
    }
    if (lastHostPort === undefined || lastHostPort === request.hostPort) return this.#holdAll(bindings);
    return this.#holdFirstFree(bindings, { first: request.hostPort, last: lastHostPort }, false);
  }

  /** The first free port of the range; `onwards`: one further each time, so that a port that was just freed is not handed out again at once. */
  async #holdFirstFree(
    bindings: readonly PortBinding[],
    { first, last }: PortRange,
    onwards: boolean,
  ): Promise<readonly PortBinding[]> {
    const size = last - first + 1;
    for (let attempt = 0; attempt < size; attempt++) {
      if (onwards) this.#lastRandom = (this.#lastRandom + 1) % size;
      const hostPort = first + (onwards ? this.#lastRandom : attempt);
      try {
        return await this.#holdAll(bindings.map((binding) => ({ ...binding, hostPort })));
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
      }
    }
    const [binding] = bindings;
    throw new ConflictError(
      onwards
        ? "all ports are allocated"
        : `Bind for ${binding?.hostIp}:${first}-${last} failed: all ports are allocated`,
    );
  }

  async #holdAll(bindings: readonly PortBinding[]): Promise<readonly PortBinding[]> {
    const held: PortBinding[] = [];
    try {
      for (const binding of bindings) held.push(await this.#hold(binding));
    } catch (error) {
      this.release(held);
      throw error;
    }
    return held;
  }

  async #hold(binding: PortBinding): Promise<PortBinding> {
    if (this.#isHeld(binding)) {
      throw new ConflictError(`Bind for ${binding.hostIp}:${binding.hostPort} failed: port is already allocated`);
    }
    const key = keyOf(binding);
    // Entered before the first await, so that two calls at once cannot both pass the test above.
    this.#held.set(key, NOTHING);
    try {
      const socket = await bindSocket(binding);
      if (this.#isRelayed(binding.hostIp)) socket.close();
      else this.#held.set(key, socket);
      return binding;
    } catch (error) {
      this.#held.delete(key);
      throw bindError(binding, error);
    }
  }

  #isHeld(binding: PortBinding): boolean {
    const any = anyAddress(binding.hostIp);
    if (binding.hostIp !== any)
      return this.#held.has(keyOf(binding)) || this.#held.has(keyOf({ ...binding, hostIp: any }));
    const suffix = `]:${binding.hostPort}/${binding.protocol}`;
    const isIpv6 = any === "::";
    return [...this.#held.keys()].some(
      (key) => key.endsWith(suffix) && isIPv6(key.slice(1, key.indexOf("]"))) === isIpv6,
    );
  }
}

/** 0: one port, 1: a range, 2: any port. */
function freedom({ hostPort, lastHostPort = hostPort }: PortRequest): number {
  if (hostPort === 0) return 2;
  return lastHostPort === hostPort ? 0 : 1;
}

/** The addresses to bind for what the user asked: "" means all of each family. */
function hostAddresses({ hostIp }: PortRequest, families: readonly Family[]): readonly string[] {
  if (hostIp === "") return families.map((family) => (family === 4 ? "0.0.0.0" : "::"));
  const family = isIP(hostIp);
  if ((family === 4 || family === 6) && families.includes(family)) return [hostIp];
  throw new InvalidParameterError(
    `invalid host address "${hostIp}": the container has no ${family === 6 ? "IPv6" : "IPv4"} address on the network that leads outside`,
  );
}

function anyAddress(hostIp: string): string {
  return isIPv6(hostIp) ? "::" : "0.0.0.0";
}

function keyOf(binding: PortBinding): string {
  return `[${binding.hostIp}]:${binding.hostPort}/${binding.protocol}`;
}

async function bindSocket(binding: PortBinding): Promise<HeldSocket> {
  switch (binding.protocol) {
    case "tcp":
      return listenTcp(binding);
    case "udp":
      return bindUdp(binding);
    case "sctp":
      // No SCTP sockets in this language: the engine's own table of ports has to do.
      return NOTHING;
  }
}

function listenTcp(binding: PortBinding): Promise<HeldSocket> {
  return new Promise((resolve, reject) => {
    // Nobody connects unless someone flushed the rules; then a refusal is better than a connection that hangs.
    const server = createServer((socket) => void socket.destroy());
    server.on("error", reject);
    const { hostIp: host, hostPort: port } = binding;
    server.listen({ host, port, exclusive: true, backlog: 16, ipv6Only: true }, () => {
      server.unref();
      resolve({ close: () => void server.close() });
    });
  });
}

function bindUdp(binding: PortBinding): Promise<HeldSocket> {
  return new Promise((resolve, reject) => {
    const isIpv6 = isIPv6(binding.hostIp);
    const socket = createSocket({ type: isIpv6 ? "udp6" : "udp4", ipv6Only: isIpv6 });
    // Later ones, of which there may be any number, change nothing.
    socket.on("error", reject);
    socket.bind({ address: binding.hostIp, port: binding.hostPort, exclusive: true }, () => {
      socket.unref();
      resolve({ close: () => void socket.close() });
    });
  });
}

/** Docker's words are Go's for the failed system call. */
export function bindError(binding: PortBinding, cause: unknown): Error {
  const family = isIPv6(binding.hostIp) ? 6 : 4;
  const host = family === 6 ? `[${binding.hostIp}]` : binding.hostIp;
  const prefix = `listen ${binding.protocol}${family} ${host}:${binding.hostPort}: bind:`;
  switch (cause instanceof PortRefusal ? cause.errno : errorCode(cause)) {
    case "EADDRINUSE":
      return new ConflictError(`${prefix} address already in use`, { cause });
    case "EADDRNOTAVAIL":
      return new InvalidParameterError(`${prefix} cannot assign requested address`, { cause });
    case "EACCES":
      return new SystemError(`${prefix} permission denied`, { cause });
    default:
      return new SystemError(`${prefix} ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

async function ephemeralRange(): Promise<PortRange> {
  const text = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8").catch(() => "");
  const [first = 0, last = 0] = text.trim().split(/\s+/).map(Number);
  return first > 0 && last >= first ? { first, last } : FALLBACK_RANGE;
}
