import { closeSync, constants, openSync } from "node:fs";
import type { Family } from "#lib/ip-address.ts";
import { SystemCallError } from "#sys/libc.ts";
import { inTurn, type NetlinkRequest, NetlinkSocket } from "#sys/netlink/socket.ts";
import { O_CLOEXEC } from "#sys/open-flags.ts";
import { listAddresses, listRoutes, parseAddressMessage, parseRoute, type Route } from "./address-message.ts";
import { getLink, getLinkAt, type Link, listLinks, parseLink } from "./link-message.ts";

const NETLINK_ROUTE = 0;
/** There is no such interface: a name that is too long for any is none either. */
const MISSING: readonly string[] = ["ENODEV", "ERANGE"];

/** Interfaces, addresses and routes of a network namespace. rtnetlink(7) */
export class RouteSocket implements Disposable {
  readonly #socket: NetlinkSocket;

  /** `namespacePath`: the file that holds the namespace; the engine's own without. Throws SystemCallError. */
  constructor(namespacePath?: string) {
    this.#socket = new NetlinkSocket(NETLINK_ROUTE, namespacePath);
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  /** See NetlinkSocket.change. */
  change(...requests: readonly NetlinkRequest[]): Promise<void> {
    return this.#socket.change(requests);
  }

  /** Makes an interface. False when there is one of its name. */
  async add(request: NetlinkRequest): Promise<boolean> {
    try {
      await this.#socket.change([request]);
      return true;
    } catch (error) {
      if (error instanceof SystemCallError && error.errno === "EEXIST") return false;
      throw error;
    }
  }

  /** As `change`, of interfaces that may have gone already. */
  remove(...requests: readonly NetlinkRequest[]): Promise<void> {
    return this.#socket.change(requests, MISSING);
  }

  /** Of an interface that should be there, without waiting for who changes interfaces. See NetlinkSocket.indexOf. */
  indexOf(name: string): number {
    return this.#socket.indexOf(name);
  }

  /** Undefined when there is none of that name. */
  findLink(name: string): Promise<Link | undefined> {
    return this.#askLink(getLink(name)).catch(whenMissing);
  }

  /** Undefined when there is none of that index. */
  linkAt(index: number): Promise<Link | undefined> {
    return this.#askLink(getLinkAt(index)).catch(whenMissing);
  }

  async links(): Promise<readonly Link[]> {
    return (await this.#socket.list(listLinks())).map(parseLink);
  }

  async addresses(): Promise<readonly ReturnType<typeof parseAddressMessage>[]> {
    return (await this.#socket.list(listAddresses())).map(parseAddressMessage);
  }

  async routes(family: Family): Promise<readonly Route[]> {
    return (await this.#socket.list(listRoutes(family))).map(parseRoute);
  }

  async #askLink(request: NetlinkRequest): Promise<Link> {
    const [body] = await this.#socket.ask(request);
    return parseLink(body ?? Buffer.alloc(0));
  }
}

/** Runs `work`, which asks the kernel about interfaces in another way, when no socket does. See inTurn(). */
export function inRouteTurn<T>(work: () => T): Promise<T> {
  return inTurn(NETLINK_ROUTE, work);
}

/** Whether the kernel refused because there is no such interface. */
function isMissing(error: unknown): boolean {
  return error instanceof SystemCallError && MISSING.includes(error.errno);
}

function whenMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

/** Runs `work` with a descriptor of the namespace that the file `path` holds. */
export async function withNamespace<T>(path: string, work: (descriptor: number) => Promise<T>): Promise<T> {
  const descriptor = openSync(path, constants.O_RDONLY | O_CLOEXEC);
  try {
    return await work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
