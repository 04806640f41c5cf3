import { randomBytes } from "node:crypto";
import { parseAddress } from "#lib/ip-address.ts";

/**
 * The MAC address that Docker gives to a container with `ipv4`: 02:42 (locally administered) and the four octets. Derived, so that a
 * restarted container with the same address needs no new ARP entry at its peers. Random without an IPv4 address.
 */
export function macAddressOf(ipv4: string): string {
  const address = parseAddress(ipv4);
  const octets = address?.family === 4 ? ipv4.split(".").map(Number) : [...randomBytes(4)];
  return ["02", "42", ...octets.map((octet) => octet.toString(16).padStart(2, "0"))].join(":");
}

/** Six octets in hexadecimal, apart by colons or hyphens. */
export function isMacAddress(text: string): boolean {
  return /^[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i.test(text);
}
