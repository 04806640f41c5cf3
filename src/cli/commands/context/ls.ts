import { errorMessage } from "#errors/errors.ts";
import type { ContextSelection } from "../../context/context-selection.ts";
import { type ContextMetadata, ContextStore, DEFAULT_CONTEXT, dockerEndpointOf } from "../../context/context-store.ts";
import { DEFAULT_DESCRIPTION } from "../../context/default-context.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { listFormatFlag } from "../../output/format-flag.ts";
import { printList } from "../../output/print-list.ts";
import type { ListShape, Row } from "../../output/row.ts";
import { ellipsis } from "../../output/texts.ts";

const CONTEXT_LIST: ListShape = {
  goType: "*formatter.clientContextContext",
  headers: {
    Name: "NAME",
    Description: "DESCRIPTION",
    DockerEndpoint: "DOCKER ENDPOINT",
    Error: "ERROR",
  },
};

const ERROR_WIDTH = 45;

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "List contexts",
  spellings: ["context ls", "context list"],
  arguments: NO_ARGUMENTS,
  offline: true,
  flags: { format: listFormatFlag(), quiet: booleanFlag("Only show context names", { short: "q" }) },
  async run({ flags }, { configDirectory, selection, streams }) {
    const rows = contextRows(new ContextStore(configDirectory), selection);
    const isTable = flags.format === "" || flags.format === "table";
    await printList(streams.stdout, CONTEXT_LIST, isTable && !flags.quiet ? rows.map(marked) : rows, {
      format: flags.format,
      columns: ["Name", "Description", "DockerEndpoint", "Error"],
      quietField: flags.quiet ? "Name" : undefined,
    });
    if (selection.overriding) {
      await streams.stderr.write(
        `Warning: ${selection.overriding} environment variable overrides the active context. To use a context, either set the global --context flag, or unset ${selection.overriding} environment variable.\n`,
      );
    }
    return 0;
  },
});

/** All contexts by name; the one in use stands among them even when it is not there. */
function contextRows(store: ContextStore, selection: ContextSelection): readonly Row[] {
  const rows = [
    row(DEFAULT_CONTEXT, selection, { Description: DEFAULT_DESCRIPTION, DockerEndpoint: selection.defaultHost }),
    ...store.list().map((context) => row(context.Name, selection, detailsOf(context))),
  ];
  if (!rows.some((one) => one["Name"] === selection.name)) {
    rows.push(row(selection.name, selection, { Error: problemOf(() => store.read(selection.name)) }));
  }
  return rows.sort((a, b) => (String(a["Name"]) < String(b["Name"]) ? -1 : 1));
}

function row(name: string, selection: ContextSelection, details: Readonly<Record<string, string>>): Row {
  return { Name: name, Current: name === selection.name, Description: "", DockerEndpoint: "", Error: "", ...details };
}

function detailsOf(context: ContextMetadata): Readonly<Record<string, string>> {
  const { Description } = context.Metadata;
  try {
    return {
      Description: typeof Description === "string" ? Description : "",
      DockerEndpoint: dockerEndpointOf(context).Host ?? "",
    };
  } catch (error) {
    return { Error: errorMessage(error) };
  }
}

function problemOf(action: () => unknown): string {
  try {
    action();
    return "";
  } catch (error) {
    return errorMessage(error);
  }
}

/** The table marks the one in use and keeps errors short. */
function marked(context: Row): Row {
  return {
    ...context,
    Name: context["Current"] === true ? `${context["Name"]} *` : String(context["Name"]),
    Error: ellipsis(String(context["Error"]), ERROR_WIDTH),
  };
}
