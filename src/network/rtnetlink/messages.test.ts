import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseAttributes } from "#sys/netlink/message.ts";
import { parseAddressMessage, parseRoute, setAddress, setDefaultRoute } from "./address-message.ts";
import { addVeth, parseLink, setGroup } from "./link-message.ts";

const octet = fc.integer({ min: 0, max: 255 });

describe("setAddress()", () => {
  test("is read back by parseAddressMessage() as the block of the address", () => {
    fc.assert(
      fc.property(fc.tuple(octet, octet, octet, octet), fc.integer({ min: 1, max: 32 }), (octets, prefix) => {
        const text = `${octets.join(".")}/${prefix}`;
        const { subnet, index } = parseAddressMessage(setAddress(text, 7, "eth0").body);
        const base = octets.reduce((sum, one) => sum * 256n + BigInt(one), 0n);
        const size = 1n << BigInt(32 - prefix);
        expect(subnet).toEqual({ family: 4, base: base - (base % size), prefixLength: prefix });
        expect(index).toBe(7);
      }),
    );
    expect(parseAddressMessage(setAddress("fd00:1::5/64", 3, "eth0").body).subnet).toEqual({
      family: 6,
      base: 0xfd000001n << 96n,
      prefixLength: 64,
    });
  });

  test("refuses what is no address", () => {
    expect(() => setAddress("10.0.0.1", 1, "eth0")).toThrow('the address "10.0.0.1"');
  });
});

test("setDefaultRoute() is read back by parseRoute() as a route to everywhere", () => {
  const { body } = setDefaultRoute({ family: 6, gateway: "fd00::1", index: 4 });
  expect(parseRoute(body)).toEqual({ target: undefined, index: 4, table: 254 });
});

test("parseLink(), parseRoute() and parseAddressMessage() take any body of their size", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 120 }), (bytes) => {
      // What has an attribute of another size than the kernel's is not the kernel's.
      for (const parse of [parseLink, parseRoute, parseAddressMessage]) {
        try {
          parse(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }
    }),
  );
});

test("addVeth() names the bridge of one end and the namespace of the other", () => {
  const { body } = addVeth({ name: "v1", mtu: 1400 }, 9, { name: "eth0", macAddress: "02:42:0a:00:00:02" }, 11);
  const link = parseLink(body);
  expect(link).toMatchObject({ name: "v1", mtu: 1400, kind: "veth", master: 9 });
  const info = parseAttributes(parseAttributes(body.subarray(16)).get(18)!);
  const peer = parseAttributes(parseAttributes(info.get(2)!).get(1)!.subarray(16));
  expect(peer.get(1)).toEqual(Buffer.from([2, 0x42, 10, 0, 0, 2]));
  expect(peer.get(28)?.readUInt32LE(0)).toBe(11);
});

test("setGroup() takes a group of 32 bits", () => {
  expect(parseAttributes(setGroup("v1", 0xffff_ffff).body.subarray(16)).get(27)?.readUInt32LE(0)).toBe(0xffff_ffff);
});
