import { addressBytes, type Family, parseAddress } from "#lib/ip-address.ts";
import type { NetlinkRequest } from "#sys/netlink/socket.ts";
import type { PortBinding } from "../network-driver.ts";
import { PROTOCOL_NUMBER, portBytes } from "./expressions.ts";
import { addElements, deleteElements } from "./messages.ts";

/** A published port and where it leads. */
export interface PublishedPort extends PortBinding {
  readonly containerAddress: string;
  /** Whoever may send packets to the container's own address may send them to this port. */
  readonly isOpen: boolean;
}

/** A part of a key or of data: in nft's words, and as the kernel has it. */
interface Part {
  readonly text: string;
  readonly bytes: Buffer;
}

/** What a port is in the sets and maps of its family's table. */
interface PortElement {
  readonly family: Family;
  readonly set: string;
  readonly key: readonly Part[];
  /** Of a map. */
  readonly data: readonly Part[] | undefined;
}

/** So many fit into one message. */
const MOST_IN_A_MESSAGE = 500;

/** nft's word for a family, for the table of that family. */
export const NFT_FAMILY = { 4: "ip", 6: "ip6" } as const;

/** Addresses that mean "on every address of this host". */
export function isAnyAddress(hostIp: string): boolean {
  return hostIp === "" || hostIp === "0.0.0.0" || hostIp === "::";
}

/** Publishes ports, in the words of nft(8). */
export function renderPorts(table: string, ports: readonly PublishedPort[]): string {
  return elementsOf(ports)
    .map((element) => `add element ${NFT_FAMILY[element.family]} ${table} ${element.set} { ${words(element)} }\n`)
    .join("");
}

/** What publishes ports, or takes them back. */
export function portRequests(
  table: string,
  action: "add" | "delete",
  ports: readonly PublishedPort[],
): readonly NetlinkRequest[] {
  const request = action === "add" ? addElements : deleteElements;
  const bySet = Map.groupBy(elementsOf(ports), ({ family, set }) => `${family} ${set}`);
  return [...bySet.values()].flatMap((elements) =>
    chunks(elements, MOST_IN_A_MESSAGE).map(([first, ...more]) =>
      request(
        { family: first.family, table, set: first.set },
        [first, ...more].map(({ key, data }) => ({ key: joined(key), data: data && joined(data) })),
      ),
    ),
  );
}

/** Several ports of this host may lead to one of the container's, which is open once. */
function elementsOf(ports: readonly PublishedPort[]): readonly PortElement[] {
  const all = ports.flatMap(portElements);
  return [...new Map(all.map((element) => [`${element.family} ${element.set} ${words(element)}`, element])).values()];
}

function portElements({ containerAddress, containerPort, protocol, hostIp, hostPort, isOpen }: PublishedPort) {
  const family = parseAddress(containerAddress)?.family ?? 4;
  const published: PortElement = {
    family,
    set: `${protocol}_${isAnyAddress(hostIp) ? "any" : "address"}`,
    key: [...(isAnyAddress(hostIp) ? [] : [address(hostIp)]), port(hostPort)],
    data: [address(containerAddress), port(containerPort)],
  };
  const number: Part = { text: protocol, bytes: Buffer.from([PROTOCOL_NUMBER[protocol]]) };
  const open: PortElement = {
    family,
    set: "open",
    key: [address(containerAddress), number, port(containerPort)],
    data: undefined,
  };
  return [...(hostPort === 0 ? [] : [published]), ...(isOpen ? [open] : [])];
}

function address(text: string): Part {
  return { text, bytes: addressBytes(text) };
}

function port(number: number): Part {
  return { text: String(number), bytes: portBytes(number) };
}

function words({ key, data }: PortElement): string {
  const [first, second] = [key, data].map((parts) => parts?.map(({ text }) => text).join(" . "));
  return second === undefined ? `${first}` : `${first} : ${second}`;
}

/** A part by itself as it is; of several each begins at a multiple of four bytes. */
function joined(parts: readonly Part[]): Buffer {
  const [only, ...more] = parts.map(({ bytes }) => bytes);
  if (only && more.length === 0) return only;
  return Buffer.concat(parts.flatMap(({ bytes }) => [bytes, Buffer.alloc(-bytes.length & 3)]));
}

function chunks<T>(all: readonly T[], size: number): readonly (readonly [T, ...T[]])[] {
  const [first, ...more] = all.slice(0, size);
  return first === undefined ? [] : [[first, ...more], ...chunks(all.slice(size), size)];
}
