import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { errorCode } from "#errors/errors.ts";

/** The value of a kernel parameter, by its path below /proc/sys; undefined if the kernel has none of this name. */
export async function readSysctl(path: string): Promise<string | undefined> {
  try {
    return (await readFile(`/proc/sys/${path}`, "utf8")).trim();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes a kernel parameter only if it has another value: /proc/sys may be read-only where it is already right. */
export async function setSysctl(path: string, value: string): Promise<void> {
  if ((await readSysctl(path)) !== value) await writeFile(`/proc/sys/${path}`, value);
}

/** Bytes that every link of IPv6 takes (RFC 8200, section 5). Linux gives interfaces with less no IPv6 at all. */
export const IPV6_MIN_MTU = 1280;

/**
 * Whether the kernel has IPv6 (CONFIG_IPV6, and not booted with ipv6.disable=1), for interfaces with an MTU of `mtu` bytes.
 */
export function hasIpv6(mtu: number = IPV6_MIN_MTU): boolean {
  return mtu >= IPV6_MIN_MTU && existsSync("/proc/sys/net/ipv6/conf");
}
