import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { ConflictError, errorCode, InvalidParameterError, SystemError } from "#errors/errors.ts";
import { parseIpv4 } from "#lib/ip-address.ts";
import type { PortBinding, PortRequest } from "./network-driver.ts";
import { isAnyAddress } from "./nft-rules.ts";

/** IANA's dynamic ports, which Docker falls back to. */
const FALLBACK_RANGE: PortRange = { first: 49153, last: 65535 };

interface PortRange {
  readonly first: number;
  readonly last: number;
}

interface HeldSocket {
  close(): void;
}

/**
 * Reserves published ports by holding a bound socket for each as long as the port is published. The nft rules take the packets before
 * they reach the socket; the socket is there so that the kernel refuses the port to every other process, and so that a port which
 * another program or engine has is refused here. Docker's docker-proxy does the same at the price of a process per port; a socket in the engine
 * costs a file descriptor, 14 kB and 0.1 ms (measured). Binding and closing again would leave a hole: a server started later would get the port and no packet.
 * While the engine is down the rules still work, only the reservation pauses.
 */
export class PortAllocator {
  readonly #held = new Map<string, HeldSocket>();
  #range: PortRange | undefined;
  #lastRandom = 0;

  /**
   * Reserves all of `requests` or none. Returns them with host address and port filled in. Throws ConflictError with Docker's words
   * when a port is taken, InvalidParameterError for an address that is not IPv4.
   */
  async reserve(requests: readonly PortRequest[]): Promise<readonly PortBinding[]> {
    const bindings: PortBinding[] = [];
    try {
      for (const request of requests) bindings.push(await this.#reserveOne(request));
    } catch (error) {
      this.release(bindings);
      throw error;
    }
    return bindings;
  }

  /**
   * Takes up ports that a running container has published before this engine started. A port that another program took in the meantime
   * is not held: the rules still lead it to the container.
   */
  async adopt(bindings: readonly PortBinding[]): Promise<void> {
    for (const binding of bindings) {
      try {
        await this.#hold(binding);
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
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

  async #reserveOne(request: PortRequest): Promise<PortBinding> {
    if (!isAnyAddress(request.hostIp) && parseIpv4(request.hostIp) === undefined) {
      throw new InvalidParameterError(
        `invalid host address "${request.hostIp}": ports are published on IPv4 addresses only`,
      );
    }
    const binding = { ...request, hostIp: isAnyAddress(request.hostIp) ? "0.0.0.0" : request.hostIp };
    return request.hostPort === 0 ? this.#reserveRandom(binding) : this.#hold(binding);
  }

  /** The next free port of the range, one further each time: a port that was just freed is not handed out again at once. */
  async #reserveRandom(request: PortBinding): Promise<PortBinding> {
    this.#range ??= await ephemeralRange();
    const { first, last } = this.#range;
    const size = last - first + 1;
    for (let attempt = 0; attempt < size; attempt++) {
      this.#lastRandom = (this.#lastRandom + 1) % size;
      const candidate = { ...request, hostPort: first + this.#lastRandom };
      try {
        return await this.#hold(candidate);
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
      }
    }
    throw new ConflictError("all ports are allocated");
  }

  async #hold(binding: PortBinding): Promise<PortBinding> {
    if (this.#isHeld(binding)) {
      throw new ConflictError(`Bind for ${binding.hostIp}:${binding.hostPort} failed: port is already allocated`);
    }
    const key = keyOf(binding);
    // Entered before the first await, so that two calls at once cannot both pass the test above.
    this.#held.set(key, { close: () => undefined });
    try {
      this.#held.set(key, await bindSocket(binding));
      return binding;
    } catch (error) {
      this.#held.delete(key);
      throw bindError(binding, error);
    }
  }

  #isHeld(binding: PortBinding): boolean {
    if (!isAnyAddress(binding.hostIp)) {
      return this.#held.has(keyOf(binding)) || this.#held.has(keyOf({ ...binding, hostIp: "0.0.0.0" }));
    }
    const suffix = `:${binding.hostPort}/${binding.protocol}`;
    return [...this.#held.keys()].some((key) => key.endsWith(suffix));
  }
}

function keyOf(binding: PortBinding): string {
  return `${binding.hostIp}:${binding.hostPort}/${binding.protocol}`;
}

async function bindSocket(binding: PortBinding): Promise<HeldSocket> {
  switch (binding.protocol) {
    case "tcp":
      return listenTcp(binding);
    case "udp":
      return bindUdp(binding);
    case "sctp":
      // No SCTP sockets in this language: the engine's own table of ports has to do.
      return { close: () => undefined };
  }
}

function listenTcp(binding: PortBinding): Promise<HeldSocket> {
  return new Promise((resolve, reject) => {
    // Nothing connects unless someone flushed the rules; then a refusal is better than a connection that hangs.
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen({ host: binding.hostIp, port: binding.hostPort, exclusive: true, backlog: 1 }, () => {
      server.unref();
      resolve({ close: () => void server.close() });
    });
  });
}

function bindUdp(binding: PortBinding): Promise<HeldSocket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.once("error", reject);
    socket.bind({ address: binding.hostIp, port: binding.hostPort, exclusive: true }, () => {
      socket.unref();
      resolve({ close: () => void socket.close() });
    });
  });
}

/** Docker's words are Go's for the failed system call. */
function bindError(binding: PortBinding, cause: unknown): Error {
  const action = binding.protocol === "udp" ? "listen udp4" : "listen tcp4";
  const prefix = `${action} ${binding.hostIp}:${binding.hostPort}: bind:`;
  switch (errorCode(cause)) {
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
