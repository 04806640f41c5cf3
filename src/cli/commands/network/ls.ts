import { listNetworks } from "#client/networks.ts";
import type { NetworkView } from "#spec/docker-networks.ts";
import { readConfigFile } from "../../config/config-file.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, filterFlag } from "../../grammar/flag.ts";
import { listFormatFlag } from "../../output/format-flag.ts";
import { printList } from "../../output/print-list.ts";
import type { ListShape, Row } from "../../output/row.ts";
import { goTimeOfDate, joinLabels, shortId } from "../../output/texts.ts";

const SHAPE: ListShape = {
  goType: "*network.networkContext",
  raw: { ID: "network_id", Name: "name", Driver: "driver", Scope: "scope" },
  headers: {
    ID: "NETWORK ID",
    Name: "NAME",
    Driver: "DRIVER",
    Scope: "SCOPE",
    IPv4: "IPV4",
    IPv6: "IPV6",
    Internal: "INTERNAL",
    Labels: "LABELS",
    CreatedAt: "CREATED AT",
  },
};

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "List networks",
  spellings: ["network ls", "network list"],
  arguments: NO_ARGUMENTS,
  flags: {
    filter: filterFlag('Provide filter values (e.g. "driver=bridge")'),
    format: listFormatFlag(),
    "no-trunc": booleanFlag("Do not truncate the output"),
    quiet: booleanFlag("Only display network IDs", { short: "q" }),
  },
  async run({ flags }, context) {
    const { quiet } = flags;
    const format = flags.format || (quiet ? "" : (readConfigFile(context.configDirectory).networksFormat ?? ""));
    const networks = [...(await listNetworks(context.engine, flags.filter))].sort((a, b) => (a.Name < b.Name ? -1 : 1));
    const rows = networks.map((network) => networkRow(network, !flags["no-trunc"]));
    await printList(context.streams.stdout, SHAPE, rows, {
      format,
      columns: ["ID", "Name", "Driver", "Scope"],
      quietField: quiet ? "ID" : undefined,
    });
    return 0;
  },
});

function networkRow(network: NetworkView, truncate: boolean): Row {
  return {
    ID: truncate ? shortId(network.Id) : network.Id,
    Name: network.Name,
    Driver: network.Driver,
    Scope: network.Scope,
    IPv4: String(network.EnableIPv4),
    IPv6: String(network.EnableIPv6),
    Internal: String(network.Internal),
    Labels: joinLabels(network.Labels),
    CreatedAt: goTimeOfDate(network.Created),
    Label: (name) => network.Labels?.[name] ?? "",
  };
}
