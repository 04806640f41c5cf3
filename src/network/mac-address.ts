import { parseIpv4 } from "#lib/ip-address.ts";

/**
 * The MAC address that Docker gives to a container with `ipv4`: 02:42 (locally administered) and the four octets. Derived, so that a
 * restarted container with the same address needs no new ARP entry at its peers.
 */
export function macAddressOf(ipv4: string): string {
  const number = parseIpv4(ipv4) ?? 0;
  const octets = [24, 16, 8, 0].map((shift) => ((number >>> shift) & 255).toString(16).padStart(2, "0"));
  return ["02", "42", ...octets].join(":");
}

/** Six octets in hexadecimal, apart by colons or hyphens. */
export function isMacAddress(text: string): boolean {
  return /^[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i.test(text);
}
