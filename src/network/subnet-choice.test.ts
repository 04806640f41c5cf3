import { describe, expect, test } from "bun:test";
import { formatSubnet, parseSubnet } from "#lib/ip-address.ts";
import type { AddressBlock, NetworkRecord } from "./network-driver.ts";
import { blockAt, candidateSubnets, firstFree, settleBlocks, takenSubnets } from "./subnet-choice.ts";

const blocks = (...texts: string[]): ReturnType<typeof candidateSubnets> => texts.map((text) => parseSubnet(text)!);

test("candidateSubnets() are Docker's: 15 of /16, then 16 of /20", () => {
  const candidates = candidateSubnets().map(formatSubnet);
  expect(candidates).toHaveLength(31);
  expect(candidates.slice(0, 4)).toEqual(["172.17.0.0/16", "172.18.0.0/16", "172.19.0.0/16", "172.20.0.0/16"]);
  expect(candidates[14]).toBe("172.31.0.0/16");
  expect(candidates[15]).toBe("192.168.0.0/20");
  expect(candidates.at(-1)).toBe("192.168.240.0/20");
});

test("firstFree() passes over what overlaps in either direction", () => {
  const free = firstFree(candidateSubnets(), blocks("172.17.4.0/24", "172.18.0.0/15", "10.0.0.0/8"));
  expect(formatSubnet(free!)).toBe("172.20.0.0/16");
  expect(firstFree(candidateSubnets(), blocks("172.16.0.0/12", "192.168.0.0/16"))).toBeUndefined();
});

test("takenSubnets() has this host's loopback and never the whole internet", async () => {
  const { addresses, routes } = await takenSubnets();
  expect(addresses.map(formatSubnet)).toContain("127.0.0.0/8");
  expect([...addresses, ...routes].map(formatSubnet)).not.toContain("0.0.0.0/0");
});

describe("blockAt()", () => {
  test("takes the address as the gateway's", () => {
    expect(blockAt("10.9.8.1/24")).toEqual({
      subnet: "10.9.8.0/24",
      gateway: "10.9.8.1",
      auxiliary: {},
      chosen: false,
    });
  });

  test.each(["", "10.9.8.1", "10.9.8.0/24", "10.9.8.255/24", "10.9.8.1/33", "fd00::1/64"])("refuses %j", (bip) => {
    expect(() => blockAt(bip)).toThrow(`invalid value "${bip}" for --bip`);
  });
});

describe("settleBlocks()", () => {
  const nothing = { addresses: [], routes: [] };
  const source = { engineName: "abcd1234", spread: false, networks: [], taken: nothing };

  test("gives a free subnet and its first address, beside other networks, addresses and routes", () => {
    const taken = { addresses: blocks("172.17.0.1/32"), routes: blocks("172.18.0.0/24") };
    const networks = [record({ id: "other", ipv4: block("172.19.0.0/16") })];
    const { ipv4, ipv6 } = settleBlocks(record(), { ...source, networks, taken });
    expect(ipv4).toEqual({ subnet: "172.20.0.0/16", gateway: "172.20.0.1", auxiliary: {}, chosen: true });
    expect(ipv6).toBeUndefined();
  });

  test("gives IPv6 subnets of one unique local block per engine", () => {
    const first = settleBlocks(record({ ipv6: block("") }), source);
    const second = settleBlocks(record({ ipv6: block("") }), { ...source, networks: [{ ...first, id: "first" }] });
    expect(first.ipv6?.subnet).toMatch(/^fd[0-9a-f]{2}:[0-9a-f]+:[0-9a-f]+::\/64$/);
    expect(second.ipv6?.subnet).toBe(first.ipv6!.subnet.replace("::", ":1::"));
    expect(second.ipv6?.gateway).toBe(second.ipv6!.subnet.replace("/64", "1"));
  });

  test("keeps what is free, chooses anew what the engine chose itself, refuses what the user chose", () => {
    const taken = { addresses: blocks("172.18.5.1/24"), routes: [] };
    const settle = (ipv4: AddressBlock): AddressBlock | undefined =>
      settleBlocks(record({ ipv4 }), { ...source, taken }).ipv4;
    expect(settle(block("172.25.0.0/16"))?.subnet).toBe("172.25.0.0/16");
    expect(settle({ ...block("172.18.0.0/16"), gateway: "172.18.0.1" })).toMatchObject({
      subnet: "172.17.0.0/16",
      gateway: "172.17.0.1",
    });
    expect(() => settle({ ...block("172.18.0.0/16"), chosen: false })).toThrow(
      "Pool overlaps with other one on this address space",
    );
  });

  test("lets a user's subnet lie below a route, and a macvlan network on its parent's link", () => {
    const routed = { addresses: [], routes: blocks("10.0.0.0/8") };
    const mine = { ...block("10.1.0.0/24"), chosen: false };
    expect(settleBlocks(record({ ipv4: mine }), { ...source, taken: routed }).ipv4?.gateway).toBe("10.1.0.1");
    const linked = { addresses: blocks("10.1.0.7/24"), routes: [] };
    expect(() => settleBlocks(record({ ipv4: mine }), { ...source, taken: linked })).toThrow("Pool overlaps");
    const macvlan = record({ ipv4: mine, driver: "macvlan" });
    expect(settleBlocks(macvlan, { ...source, taken: linked }).ipv4?.gateway).toBe("10.1.0.1");
  });

  test("leaves a subnet as its user wrote it, and finds that it overlaps all the same", () => {
    const mine = { ...block("FD00:0AA:0::/64"), chosen: false };
    const settled = settleBlocks(record({ ipv6: mine }), source);
    expect(settled.ipv6).toEqual({ ...mine, gateway: "fd00:aa::1" });
    const again = record({ ipv6: { ...block("fd00:aa::/64"), chosen: false } });
    expect(() => settleBlocks(again, { ...source, networks: [{ ...settled, id: "other" }] })).toThrow("Pool overlaps");
  });

  test("spreads engines that start at once, always alike for one name", () => {
    const subnetOf = (engineName: string): string =>
      settleBlocks(record(), { ...source, engineName, spread: true }).ipv4?.subnet ?? "";
    expect(new Set(["a", "b", "c", "d", "e", "f"].map(subnetOf)).size).toBeGreaterThan(2);
    expect(subnetOf("a")).toBe(subnetOf("a"));
  });
});

function block(subnet: string): AddressBlock {
  return { subnet, gateway: "", auxiliary: {}, chosen: true };
}

function record(overrides: Partial<NetworkRecord> = {}): NetworkRecord {
  return {
    id: "this",
    name: "net",
    driver: "bridge",
    ipv4: block(""),
    ipv6: undefined,
    interfaceName: "br-test",
    internal: false,
    attachable: false,
    options: {},
    labels: {},
    created: 0,
    ...overrides,
  };
}
