import { readFileSync } from "node:fs";
import { errorCode } from "#errors/errors.ts";
import type { NetworkUsage } from "./container-usage.ts";

/** Counters of the interfaces in a process' network namespace, but for the loopback; none when the process is gone. */
export function readNetworkUsage(pid: number): Readonly<Record<string, NetworkUsage>> {
  try {
    return parseNetDev(readFileSync(`/proc/${pid}/net/dev`, "utf8"));
  } catch (error) {
    if (["ENOENT", "ESRCH", "EINVAL"].includes(errorCode(error) ?? "")) return {};
    throw error;
  }
}

/** Two lines of header, then `NAME: 16 numbers`, 8 received and 8 sent. https://man7.org/linux/man-pages/man5/proc_pid_net.5.html */
export function parseNetDev(text: string): Readonly<Record<string, NetworkUsage>> {
  const interfaces = text.split("\n").flatMap((line) => {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim();
    const numbers = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    return colon < 0 || name === "lo" || numbers.length < 16 ? [] : [[name, usageOf(numbers)] as const];
  });
  return Object.fromEntries(interfaces);
}

function usageOf(numbers: readonly number[]): NetworkUsage {
  const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0] = numbers;
  const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = numbers.slice(8);
  return { rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped };
}
