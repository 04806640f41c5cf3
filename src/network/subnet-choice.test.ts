import { describe, expect, test } from "bun:test";
import { formatSubnet, overlaps, parseSubnet } from "#lib/ip-address.ts";
import { bridgeAt, candidateSubnets, chooseBridge, firstFree, takenSubnets } from "./subnet-choice.ts";

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
  const taken = (await takenSubnets()).map(formatSubnet);
  expect(taken).toContain("127.0.0.0/8");
  expect(taken).not.toContain("0.0.0.0/0");
});

describe("bridgeAt()", () => {
  test("takes the address as the gateway's", () => {
    expect(bridgeAt("x", "10.9.8.1/24")).toEqual({
      subnet: "10.9.8.0/24",
      gateway: "10.9.8.1",
      bridgeName: "berth-x",
    });
  });

  test.each(["", "10.9.8.1", "10.9.8.0/24", "10.9.8.255/24", "10.9.8.1/33", "fd00::1/64"])("refuses %j", (bip) => {
    expect(() => bridgeAt("x", bip)).toThrow(`invalid value "${bip}" for --bip`);
  });
});

describe("chooseBridge()", () => {
  test("gives a free subnet, its first address, and an interface name that fits", async () => {
    const choice = await chooseBridge("abcd1234", false);
    const subnet = parseSubnet(choice.subnet)!;
    expect((await takenSubnets()).some((other) => overlaps(other, subnet))).toBe(false);
    expect(choice.gateway).toBe(choice.subnet.replace(/0\/\d+$/, "1"));
    expect(choice.bridgeName.length).toBeLessThanOrEqual(15);
  });

  test("spreads engines that start at once, always alike for one name", async () => {
    const subnets = await Promise.all(
      ["a", "b", "c", "d", "e", "f"].map(async (name) => (await chooseBridge(name, true)).subnet),
    );
    expect(new Set(subnets).size).toBeGreaterThan(2);
    expect((await chooseBridge("a", true)).subnet).toBe(subnets[0]!);
  });
});
