import type { Family } from "#lib/ip-address.ts";
import type { NetworkRecord } from "../network-driver.ts";
import {
  allowsPeers,
  type GatewayMode,
  gatewayMode,
  isMasqueraded,
  sourceAddress,
  trustedInterfaces,
} from "../network-options.ts";
import { NFT_FAMILY, type PublishedPort, renderPorts } from "./port-elements.ts";

const PROTOCOLS = ["tcp", "udp", "sctp"] as const;

/**
 * The engine's whole table of one family as an atomic nft transaction that replaces the former one, whatever state that was in. Ports and
 * networks are elements of maps and sets, so that a further container is one small transaction (port-elements.ts) and a packet costs one hash
 * lookup however many ports are published. https://wiki.nftables.org/wiki-nftables/index.php/Maps
 */
export function renderTable(
  family: Family,
  table: string,
  networks: readonly NetworkRecord[],
  ports: readonly PublishedPort[],
): string {
  const nft = NFT_FAMILY[family];
  const type = family === 4 ? "ipv4_addr" : "ipv6_addr";
  const bridges = networks.map((network) => quote(network.interfaceName));
  const peers = networks.filter(allowsPeers).map((network) => quote(network.interfaceName));
  const internal = networks.filter((network) => network.internal).map((network) => quote(network.interfaceName));
  const inMode = (mode: GatewayMode): readonly NetworkRecord[] =>
    networks.filter((network) => gatewayMode(network, family) === mode);
  const namesOf = (some: readonly NetworkRecord[]): readonly string[] =>
    some.map((network) => quote(network.interfaceName));
  const translated = [...inMode("nat"), ...inMode("nat-unprotected")].filter(
    (network) => isMasqueraded(network) && !network.internal,
  );
  const masqueraded = translated.filter((network) => sourceAddress(network, family) === undefined);
  const lines = [
    // nft has no "delete if it exists" before 1.0.8: adding first makes the deletion safe.
    `add table ${nft} ${table}`,
    `delete table ${nft} ${table}`,
    `table ${nft} ${table} {`,
    set("bridges", "ifname", bridges),
    set("internal", "ifname", internal),
    set(
      "same_bridge",
      "ifname . ifname",
      peers.map((bridge) => `${bridge} . ${bridge}`),
    ),
    set("subnets", type, subnetsOf(family, networks), "interval"),
    set("masqueraded", type, subnetsOf(family, masqueraded), "interval"),
    map(
      "sources",
      `${type} : ${type}`,
      translated.flatMap((network) => {
        const address = sourceAddress(network, family);
        return address === undefined ? [] : subnetsOf(family, [network]).map((subnet) => `${subnet} : ${address}`);
      }),
      "interval",
    ),
    set("unprotected", "ifname", namesOf(inMode("nat-unprotected"))),
    set("routed", "ifname", namesOf(inMode("routed"))),
    set(
      "trusted",
      "ifname . ifname",
      networks.flatMap((network) =>
        trustedInterfaces(network).map((name) => `${quote(name)} . ${quote(network.interfaceName)}`),
      ),
    ),
    `  set open { type ${type} . inet_proto . inet_service; }`,
    ...PROTOCOLS.flatMap((protocol) => [
      `  map ${protocol}_any { type inet_service : ${type} . inet_service; }`,
      `  map ${protocol}_address { type ${type} . inet_service : ${type} . inet_service; }`,
    ]),
    chains(family),
    "}",
  ];
  return `${lines.join("\n")}\n${renderPorts(table, ports)}`;
}

function subnetsOf(family: Family, networks: readonly NetworkRecord[]): readonly string[] {
  return networks.flatMap(({ ipv4, ipv6 }) => (family === 4 ? ipv4 : ipv6)?.subnet ?? []);
}

function set(name: string, type: string, elements: readonly string[], flags = ""): string {
  const flagLine = flags ? ` flags ${flags};` : "";
  const elementLine = elements.length > 0 ? ` elements = { ${elements.join(", ")} };` : "";
  return `  set ${name} { type ${type};${flagLine}${elementLine} }`;
}

function map(name: string, type: string, elements: readonly string[], flags: string): string {
  const elementLine = elements.length > 0 ? ` elements = { ${elements.join(", ")} };` : "";
  return `  map ${name} { type ${type}; flags ${flags};${elementLine} }`;
}

function quote(name: string): string {
  return `"${name}"`;
}

/** The destinations that are no address of this host, for a client outside, and the host's own loopback, for one on it. */
const LOOPBACK = { 4: "127.0.0.0/8", 6: "::1" } as const;

/**
 * guard: route_localnet lets the host reach published ports through 127.0.0.1; it must not let containers reach the host's loopback.
 * prerouting leaves 127.0.0.0/8 alone: DNAT runs before the kernel drops such "martians", so that a neighbour of the host could
 * otherwise reach ports published on 127.0.0.1 only (https://github.com/moby/moby/issues/45610).
 * output: IPv6 has no route_localnet; ::1 is served by the engine (port-allocator.ts).
 * postrouting: the second rule is the hairpin (a container reaches its own bridge's published port), the third gives 127.0.0.1
 * clients an address that the container can answer.
 * forward: only published ports are reachable from other networks, as Docker's; an accept here does not bind other tables' chains. For other modes
 * than NAT see GatewayMode.
 */
function chains(family: Family): string {
  const ip = NFT_FAMILY[family];
  const loopback = LOOPBACK[family];
  const publish = PROTOCOLS.flatMap((protocol) => [
    `    meta l4proto ${protocol} dnat ${ip} to ${ip} daddr . ${protocol} dport map @${protocol}_address`,
    `    meta l4proto ${protocol} dnat ${ip} to ${protocol} dport map @${protocol}_any`,
  ]);
  return `  chain publish {
${publish.join("\n")}
  }
  chain guard {
    type filter hook prerouting priority raw
    iifname @bridges ${ip} daddr ${loopback} drop
  }
  chain prerouting {
    type nat hook prerouting priority dstnat
    ${ip} daddr != ${loopback} fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -100
    ${family === 6 ? `${ip} daddr != ${loopback} ` : ""}fib daddr type local jump publish
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname != @bridges snat to ${ip} saddr map @sources
    ${ip} saddr @masqueraded oifname != @bridges masquerade
    ${ip} saddr @subnets oifname @bridges ct status dnat masquerade
    ${ip} saddr ${loopback} oifname @bridges masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept
    ct state established,related accept
    iifname . oifname @same_bridge accept
    oifname @internal drop
    iifname @internal drop
    ct status dnat accept
    oifname @unprotected accept
    oifname @routed ${ip} daddr . meta l4proto . th dport @open accept
    oifname @routed ${family === 4 ? "icmp type echo-request" : "icmpv6 type echo-request"} accept
    iifname . oifname @trusted ${ip} daddr . meta l4proto . th dport @open accept
    oifname @bridges drop
  }`;
}
