import { describe, expect, test } from "bun:test";
import type { IpamConfig } from "#spec/docker-networks.ts";
import { requestedBlocks } from "./validate-ipam.ts";

function blocks(configs: readonly IpamConfig[], ipv6 = true): ReturnType<typeof requestedBlocks> {
  return requestedBlocks({ Name: "x", IPAM: { Config: configs } }, { ipv4: true, ipv6 });
}

describe("requestedBlocks()", () => {
  test("leaves to the engine what is not asked for", () => {
    const chosen = { subnet: "", gateway: "", auxiliary: {}, chosen: true };
    expect(blocks([])).toEqual({ ipv4: chosen, ipv6: chosen });
    expect(blocks([{ Subnet: "10.1.0.0/24" }], false)).toEqual({
      ipv4: { subnet: "10.1.0.0/24", gateway: "", auxiliary: {}, chosen: false },
      ipv6: undefined,
    });
  });

  test("takes one subnet of each family with what belongs to it", () => {
    const auxiliary = { router: "fd00::5" };
    expect(
      blocks([
        { Subnet: "10.1.0.0/24", Gateway: "10.1.0.254", IPRange: "10.1.0.128/25" },
        { Subnet: "fd00::/64", AuxiliaryAddresses: auxiliary },
      ]),
    ).toEqual({
      ipv4: { subnet: "10.1.0.0/24", gateway: "10.1.0.254", ipRange: "10.1.0.128/25", auxiliary: {}, chosen: false },
      ipv6: { subnet: "fd00::/64", gateway: "", auxiliary, chosen: false },
    });
    expect(() => blocks([{ Subnet: "10.1.0.0/24" }, { Subnet: "10.2.0.0/24" }])).toThrow("multiple subnets");
  });

  test.each<[IpamConfig, string]>([
    [{ Subnet: "nonsense" }, "invalid subnet nonsense: invalid CIDR block notation"],
    [{ Subnet: "10.1.0.5/24" }, "invalid subnet 10.1.0.5/24: it should be 10.1.0.0/24"],
    [{ Subnet: "10.1.0.0/31" }, "invalid subnet 10.1.0.0/31: it has no room for a gateway and a container"],
    [{ Subnet: "fd00::/127" }, "invalid subnet fd00::/127: it has no room for a gateway and a container"],
    [{ Subnet: "10.1.0.0/24", IPRange: "x" }, "invalid ip-range x: invalid CIDR block notation"],
    [{ Subnet: "10.1.0.0/24", IPRange: "fd00::/64" }, "invalid ip-range fd00::/64: parent subnet is an IPv4 block"],
    [{ Subnet: "10.1.0.0/24", IPRange: "10.2.0.0/25" }, "parent subnet 10.1.0.0/24 doesn't contain ip-range"],
    [{ Subnet: "10.1.0.0/24", Gateway: "x" }, "invalid gateway x: invalid address"],
    [{ Subnet: "10.1.0.0/24", Gateway: "fd00::1" }, "invalid gateway fd00::1: parent subnet is an IPv4 block"],
    [
      { Subnet: "10.1.0.0/24", Gateway: "10.1.0.255" },
      "failed to allocate gateway (10.1.0.255): Address already in use",
    ],
    [
      { Subnet: "10.1.0.0/24", AuxiliaryAddresses: { a: "10.2.0.1" } },
      "invalid auxiliary address a: parent subnet 10.1.0.0/24 doesn't",
    ],
  ])("refuses %j", (config, message) => {
    expect(() => blocks([config])).toThrow(message);
  });
});
