import type { NetworkRecord, PortBinding } from "./network-driver.ts";

/** A published port and where it leads. */
export interface PublishedPort extends PortBinding {
  readonly containerAddress: string;
}

/** Addresses that mean "on every address of this host". */
export function isAnyAddress(hostIp: string): boolean {
  return hostIp === "" || hostIp === "0.0.0.0";
}

const PROTOCOLS = ["tcp", "udp", "sctp"] as const;

/**
 * The engine's whole table as one atomic nft transaction that replaces the former one, whatever state that was in. Ports and networks
 * are elements of maps and sets, so that a further container is one small transaction (`renderPorts`) and a packet costs one hash
 * lookup however many ports are published. https://wiki.nftables.org/wiki-nftables/index.php/Maps
 */
export function renderTable(
  table: string,
  networks: readonly NetworkRecord[],
  ports: readonly PublishedPort[],
): string {
  const bridges = networks.map((network) => quote(network.bridgeName));
  const lines = [
    // nft has no "delete if it exists" before 1.0.8: adding first makes the deletion safe.
    `add table ip ${table}`,
    `delete table ip ${table}`,
    `table ip ${table} {`,
    set("bridges", "ifname", bridges),
    set(
      "internal",
      "ifname",
      networks.filter((network) => network.internal).map((network) => quote(network.bridgeName)),
    ),
    set(
      "same_bridge",
      "ifname . ifname",
      bridges.map((bridge) => `${bridge} . ${bridge}`),
    ),
    set(
      "subnets",
      "ipv4_addr",
      networks.map((network) => network.subnet),
      "interval",
    ),
    ...PROTOCOLS.flatMap((protocol) => [
      `  map ${protocol}_any { type inet_service : ipv4_addr . inet_service; }`,
      `  map ${protocol}_address { type ipv4_addr . inet_service : ipv4_addr . inet_service; }`,
    ]),
    CHAINS,
    "}",
  ];
  return `${lines.join("\n")}\n${renderPorts(table, "add", ports)}`;
}

/** One transaction that publishes the ports of a container, or takes them back. */
export function renderPorts(table: string, action: "add" | "delete", ports: readonly PublishedPort[]): string {
  return ports.map((port) => `${action} element ip ${table} ${element(port, action === "add")}\n`).join("");
}

function element(port: PublishedPort, withTarget: boolean): string {
  const any = isAnyAddress(port.hostIp);
  const key = any ? `${port.hostPort}` : `${port.hostIp} . ${port.hostPort}`;
  const target = withTarget ? ` : ${port.containerAddress} . ${port.containerPort}` : "";
  return `${port.protocol}_${any ? "any" : "address"} { ${key}${target} }`;
}

function set(name: string, type: string, elements: readonly string[], flags = ""): string {
  const flagLine = flags ? ` flags ${flags};` : "";
  const elementLine = elements.length > 0 ? ` elements = { ${elements.join(", ")} };` : "";
  return `  set ${name} { type ${type};${flagLine}${elementLine} }`;
}

function quote(name: string): string {
  return `"${name}"`;
}

/**
 * guard: route_localnet lets the host reach published ports through 127.0.0.1; it must not let containers reach the host's loopback.
 * prerouting leaves 127.0.0.0/8 alone: DNAT runs before the kernel drops such "martians", so that a neighbour of the host could
 * otherwise reach ports published on 127.0.0.1 only (https://github.com/moby/moby/issues/45610).
 * postrouting: the second rule is the hairpin (a container reaches its own bridge's published port), the third gives 127.0.0.1
 * clients an address that the container can answer.
 * forward: only published ports are reachable from other networks, as Docker's; an accept here does not bind other tables' chains.
 */
const CHAINS = `  chain publish {
${PROTOCOLS.flatMap((protocol) => [
  `    meta l4proto ${protocol} dnat ip to ip daddr . ${protocol} dport map @${protocol}_address`,
  `    meta l4proto ${protocol} dnat ip to ${protocol} dport map @${protocol}_any`,
]).join("\n")}
  }
  chain guard {
    type filter hook prerouting priority raw
    iifname @bridges ip daddr 127.0.0.0/8 drop
  }
  chain prerouting {
    type nat hook prerouting priority dstnat
    ip daddr != 127.0.0.0/8 fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -100
    fib daddr type local jump publish
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    ip saddr @subnets oifname != @bridges masquerade
    ip saddr @subnets oifname @bridges ct status dnat masquerade
    ip saddr 127.0.0.0/8 oifname @bridges masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept
    ct state established,related accept
    iifname . oifname @same_bridge accept
    oifname @internal drop
    iifname @internal drop
    ct status dnat accept
    oifname @bridges drop
  }`;
