import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  containsAddress,
  formatIpv4,
  formatSubnet,
  lastAddress,
  overlaps,
  parseIpv4,
  parseSubnet,
} from "./ip-address.ts";

const subnets = fc
  .tuple(fc.nat(0xffffffff), fc.integer({ min: 0, max: 32 }))
  .map(([address, prefix]) => parseSubnet(`${formatIpv4(address)}/${prefix}`)!);

describe("parseIpv4()", () => {
  test("reads back what formatIpv4() writes", () => {
    fc.assert(fc.property(fc.nat(0xffffffff), (address) => parseIpv4(formatIpv4(address)) === address));
  });

  test.each(["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "::1", "0x7f.1.1.1", "1.2.3.-4"])(
    "refuses %p",
    (text) => {
      expect(parseIpv4(text)).toBeUndefined();
    },
  );
});

describe("parseSubnet()", () => {
  test("clears the host bits", () => {
    expect(formatSubnet(parseSubnet("172.17.5.9/16")!)).toBe("172.17.0.0/16");
    expect(parseSubnet("0.0.0.0/0")).toEqual({ base: 0, prefixLength: 0 });
  });

  test("reads back what formatSubnet() writes", () => {
    fc.assert(fc.property(subnets, (subnet) => expect(parseSubnet(formatSubnet(subnet))).toEqual(subnet)));
  });

  test.each(["", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0/8", "10.0.0.0/08"])(
    "refuses %p",
    (text) => {
      expect(parseSubnet(text)).toBeUndefined();
    },
  );
});

test("overlaps() is true exactly when one block contains the other's first address", () => {
  fc.assert(
    fc.property(subnets, subnets, (left, right) => {
      const shares = containsAddress(left, right.base) || containsAddress(right, left.base);
      expect(overlaps(left, right)).toBe(shares);
      expect(overlaps(right, left)).toBe(shares);
    }),
  );
});

test("lastAddress() is the broadcast address", () => {
  expect(formatIpv4(lastAddress(parseSubnet("192.168.16.0/20")!))).toBe("192.168.31.255");
});
