import { describe, expect, test } from "bun:test";
import { ConflictError, InvalidParameterError, UnavailableError } from "#errors/errors.ts";
import { AddressPool } from "./address-pool.ts";
import { macAddressOf } from "./interfaces/mac-address.ts";

function newPool(
  subnet: string,
  gateway: string,
  ipRange?: string,
  auxiliary: Record<string, string> = {},
): AddressPool {
  return new AddressPool({ subnet, gateway, auxiliary, chosen: false, ...(ipRange ? { ipRange } : {}) });
}

describe("AddressPool.allocate()", () => {
  test("gives one after the other, leaving out network, gateway and broadcast address", () => {
    const pool = newPool("10.0.0.0/29", "10.0.0.1");
    const first = [1, 2, 3, 4, 5].map(() => pool.allocate());
    expect(first).toEqual(["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"]);
    expect(() => pool.allocate()).toThrow(UnavailableError);
    pool.release("10.0.0.3");
    expect(pool.allocate()).toBe("10.0.0.3");
  });

  test("gives the lowest that is free", () => {
    const pool = newPool("10.0.0.0/24", "10.0.0.1");
    const [first, second] = [pool.allocate(), pool.allocate(), pool.allocate()];
    pool.release(second);
    pool.release(first);
    pool.release("10.0.1.1");
    expect([pool.allocate(), pool.allocate(), pool.allocate()]).toEqual([first, second, "10.0.0.5"]);
  });

  test("takes a wanted address once", () => {
    const pool = newPool("10.0.0.0/24", "10.0.0.1");
    expect(pool.allocate("10.0.0.2")).toBe("10.0.0.2");
    expect(() => pool.allocate("10.0.0.2")).toThrow(ConflictError);
    expect(() => pool.allocate("10.0.0.1")).toThrow(ConflictError);
    expect(() => pool.allocate("10.0.1.2")).toThrow("no configured subnet or ip-range contain the IP address 10.0.1.2");
    expect(() => pool.allocate("nonsense")).toThrow(InvalidParameterError);
    expect(() => pool.allocate("fd00::2")).toThrow("invalid IPv4 address: fd00::2");
    expect(pool.allocate()).toBe("10.0.0.3");
  });

  test("hands out the range alone, without gateway and auxiliary addresses, but gives any address on demand", () => {
    const pool = newPool("10.0.0.0/24", "10.0.0.128", "10.0.0.128/30", { router: "10.0.0.130" });
    expect([pool.allocate(), pool.allocate()]).toEqual(["10.0.0.129", "10.0.0.131"]);
    expect(() => pool.allocate()).toThrow(UnavailableError);
    expect(pool.allocate("10.0.0.7")).toBe("10.0.0.7");
    expect(() => pool.allocate("10.0.0.130")).toThrow(ConflictError);
  });

  test("serves IPv6 blocks of any size", () => {
    const pool = newPool("fd00::/64", "fd00::1");
    expect([pool.allocate(), pool.allocate("fd00::ffff"), pool.allocate()]).toEqual([
      "fd00::2",
      "fd00::ffff",
      "fd00::3",
    ]);
  });
});

test("AddressPool.adopt() takes the addresses that containers have", () => {
  const pool = newPool("10.0.0.0/24", "10.0.0.1");
  pool.adopt("10.0.0.2");
  pool.adopt("192.0.2.1");
  expect(pool.allocate()).toBe("10.0.0.3");
});

test("macAddressOf() is 02:42 and the address", () => {
  expect(macAddressOf("172.17.0.2")).toBe("02:42:ac:11:00:02");
  expect(macAddressOf("")).toMatch(/^02:42(:[0-9a-f]{2}){4}$/);
});
