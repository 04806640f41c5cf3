import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  containsAddress,
  type Family,
  formatAddress,
  formatSubnet,
  lastAddress,
  overlaps,
  parseAddress,
  parseSubnet,
} from "./ip-address.ts";

const addresses = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value) => ({ family: 4 as Family, value })),
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value) => ({ family: 6 as Family, value })),
  // Runs of zeros, which IPv6 abbreviates.
  fc.array(fc.constantFrom(0, 1, 0xffff), { minLength: 8, maxLength: 8 }).map((groups) => ({
    family: 6 as Family,
    value: groups.reduce((number, group) => (number << 16n) + BigInt(group), 0n),
  })),
);
const subnets = fc
  .tuple(addresses, fc.nat(128))
  .map(([address, prefix]) => parseSubnet(`${formatAddress(address)}/${prefix % (address.family === 4 ? 33 : 129)}`)!);

describe("parseAddress()", () => {
  test("reads back what formatAddress() writes", () => {
    fc.assert(fc.property(addresses, (address) => expect(parseAddress(formatAddress(address))).toEqual(address)));
  });

  test.each([
    ["2001:0DB8::0001", "2001:db8::1"],
    ["::", "::"],
    ["0:0:1:0:0:0:0:1", "0:0:1::1"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
    ["fe80:0:0:1::", "fe80:0:0:1::"],
  ])("writes %p as %p", (text, written) => {
    expect(formatAddress(parseAddress(text)!)).toBe(written);
  });

  test.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3.4 ",
    "fe80::1%eth0",
    "0x7f.1.1.1",
    "1.2.3.-4",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4::5:6:7:8",
    "12345::",
    "::1.2.3",
    "1.2.3.4::",
  ])("refuses %p", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe("parseSubnet()", () => {
  test("clears the host bits", () => {
    expect(formatSubnet(parseSubnet("172.17.5.9/16")!)).toBe("172.17.0.0/16");
    expect(formatSubnet(parseSubnet("fd00:1::9/64")!)).toBe("fd00:1::/64");
    expect(parseSubnet("0.0.0.0/0")).toEqual({ family: 4, base: 0n, prefixLength: 0 });
  });

  test("reads back what formatSubnet() writes", () => {
    fc.assert(fc.property(subnets, (subnet) => expect(parseSubnet(formatSubnet(subnet))).toEqual(subnet)));
  });

  test.each(["", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0/8", "10.0.0.0/08", "fd00::/129"])(
    "refuses %p",
    (text) => {
      expect(parseSubnet(text)).toBeUndefined();
    },
  );
});

test("overlaps() is true exactly when one block contains the other's first address", () => {
  fc.assert(
    fc.property(subnets, subnets, (left, right) => {
      const shares =
        containsAddress(left, { family: right.family, value: right.base }) ||
        containsAddress(right, { family: left.family, value: left.base });
      expect(overlaps(left, right)).toBe(shares);
      expect(overlaps(right, left)).toBe(shares);
    }),
  );
});

test("lastAddress() is the broadcast address", () => {
  expect(formatAddress({ family: 4, value: lastAddress(parseSubnet("192.168.16.0/20")!) })).toBe("192.168.31.255");
});
