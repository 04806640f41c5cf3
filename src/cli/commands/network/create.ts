import { createNetwork } from "#client/networks.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, type Flag, listFlag, stringFlag } from "../../grammar/flag.ts";
import { ipamConfigs } from "../../run/ipam-configs.ts";
import { keyValueMap } from "../../run/key-value-file.ts";

/** A boolean that is sent only when it is given. */
function optionalFlag(usage: string, initial: boolean): Flag<boolean | undefined> {
  return { ...booleanFlag(usage, { initial }), initial: undefined } as Flag<boolean | undefined>;
}

export const command: Command = defineCommand({
  usage: "[OPTIONS] NETWORK",
  about: "Create a network",
  arguments: exactly(1),
  flags: {
    attachable: booleanFlag("Enable manual container attachment"),
    "aux-address": listFlag("Auxiliary IPv4 or IPv6 addresses used by Network driver", {
      type: "map",
      defaultText: "map[]",
    }),
    "config-from": stringFlag("The network from which to copy the configuration"),
    "config-only": booleanFlag("Create a configuration only network"),
    driver: stringFlag("Driver to manage the Network", { short: "d", initial: "bridge" }),
    gateway: listFlag("IPv4 or IPv6 Gateway for the master subnet", { type: "strings" }),
    ingress: booleanFlag("Create swarm routing-mesh network"),
    internal: booleanFlag("Restrict external access to the network"),
    "ip-range": listFlag("Allocate container ip from a sub-range", { type: "strings" }),
    "ipam-driver": stringFlag("IP Address Management Driver", { initial: "default" }),
    "ipam-opt": listFlag("Set IPAM driver specific options", { type: "map", defaultText: "map[]" }),
    ipv4: optionalFlag("Enable or disable IPv4 address assignment", true),
    ipv6: optionalFlag("Enable or disable IPv6 address assignment", false),
    label: listFlag("Set metadata on a network"),
    opt: listFlag("Set driver specific options", { short: "o", type: "map", defaultText: "map[]" }),
    scope: stringFlag("Control the network's scope"),
    subnet: listFlag("Subnet in CIDR format that represents a network segment", { type: "strings" }),
  },
  async run({ flags, args }, { engine, streams }) {
    const { Id } = await createNetwork(engine, {
      Name: args[0] ?? "",
      Driver: flags.driver,
      Options: keyValueMap(flags.opt),
      IPAM: {
        Driver: flags["ipam-driver"],
        Options: keyValueMap(flags["ipam-opt"]),
        Config: ipamConfigs({
          subnets: commaSeparated(flags.subnet),
          ranges: commaSeparated(flags["ip-range"]),
          gateways: commaSeparated(flags.gateway),
          auxiliary: keyValueMap(flags["aux-address"]),
        }),
      },
      Internal: flags.internal,
      ...(flags.ipv4 === undefined ? {} : { EnableIPv4: flags.ipv4 }),
      ...(flags.ipv6 === undefined ? {} : { EnableIPv6: flags.ipv6 }),
      Attachable: flags.attachable,
      Ingress: flags.ingress,
      Scope: flags.scope,
      ConfigOnly: flags["config-only"],
      ...(flags["config-from"] ? { ConfigFrom: { Network: flags["config-from"] } } : {}),
      Labels: keyValueMap(flags.label),
    });
    await streams.stdout.write(`${Id}\n`);
    return 0;
  },
});

/** The values of docker's slice flags: repeated, or joined by commas. */
function commaSeparated(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => value.split(","));
}
