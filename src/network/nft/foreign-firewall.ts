import { readFile } from "node:fs/promises";
import { runCommand } from "#sys/command.ts";
import { nftTables } from "./tables.ts";

/** Docker's chain for rules of others: it runs first and Docker never flushes it. */
const DOCKER_USER_CHAIN = "DOCKER-USER";

/**
 * Lets a bridge's traffic pass firewalls that drop what they do not know. In netfilter a packet must be accepted by every table, so an accept in
 * the engine's own table cannot help where Docker (or ufw) set iptables' FORWARD policy to DROP, or firewalld rejects what has no zone.
 * The engine's own table still decides what may reach containers. Idempotent; touches nothing where no such firewall is.
 * https://docs.docker.com/engine/network/packet-filtering-firewalls/
 */
export async function passForeignFirewalls(bridgeName: string): Promise<void> {
  const found = await findFirewalls();
  if (found.firewalld) await runFirewallCmd("--change-interface", bridgeName);
  for (const program of found.programs) await passIptables(program, bridgeName);
}

async function passIptables(program: string, bridgeName: string): Promise<void> {
  const { stdout: rules } = await runCommand(program, ["--wait", "--list-rules"]);
  if (!/^-P FORWARD DROP$/m.test(rules)) return;
  const chain = rules.includes(`-N ${DOCKER_USER_CHAIN}\n`) ? DOCKER_USER_CHAIN : "FORWARD";
  for (const match of bridgeMatches(bridgeName)) {
    if (rules.includes(`-A ${chain} ${match.join(" ")} -j ACCEPT\n`)) continue;
    await runCommand(program, ["--wait", "--insert", chain, ...match, "-j", "ACCEPT"]);
  }
}

/** Takes back what `passForeignFirewalls` did. Idempotent. */
export async function forgetForeignFirewalls(bridgeName: string): Promise<void> {
  const found = await findFirewalls();
  if (found.firewalld) await runFirewallCmd("--remove-interface", bridgeName);
  for (const program of found.programs) {
    for (const chain of [DOCKER_USER_CHAIN, "FORWARD"]) {
      for (const match of bridgeMatches(bridgeName)) {
        // 1: no such rule or chain.
        await runCommand(program, ["--wait", "--delete", chain, ...match, "-j", "ACCEPT"], { okCodes: [0, 1, 2] });
      }
    }
  }
}

function bridgeMatches(bridgeName: string): readonly (readonly string[])[] {
  return [
    ["-i", bridgeName],
    ["-o", bridgeName],
  ];
}

interface Firewalls {
  readonly firewalld: boolean;
  /** The iptables programs, one per address family, whose tables have rules. */
  readonly programs: readonly string[];
}

async function findFirewalls(): Promise<Firewalls> {
  const tables = await nftTables();
  // Listing rules with iptables-legacy where it has no table would create one, so its tables are looked up before.
  const hasFilter = async (family: "ip" | "ip6"): Promise<boolean> =>
    tables.has(`${family} filter`) ||
    /^filter$/m.test(await readFile(`/proc/net/${family}_tables_names`, "utf8").catch(() => ""));
  return {
    firewalld: tables.has("inet firewalld"),
    programs: [...((await hasFilter("ip")) ? ["iptables"] : []), ...((await hasFilter("ip6")) ? ["ip6tables"] : [])],
  };
}

/** 252: firewalld does not run, its table is a leftover. */
async function runFirewallCmd(action: string, bridgeName: string): Promise<void> {
  await runCommand("firewall-cmd", ["--zone=trusted", `${action}=${bridgeName}`], { okCodes: [0, 252] });
}
