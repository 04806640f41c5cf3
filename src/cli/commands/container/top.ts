import { containerTop } from "#client/container-read.ts";
import { alignTabs } from "#formats/tabwriter.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";

export const command: Command = defineCommand({
  usage: "CONTAINER [ps OPTIONS]",
  about: "Display the running processes of a container",
  spellings: ["container top", "top"],
  arguments: atLeast(1),
  stopAtFirstArgument: true,
  flags: {},
  async run({ args: [container = "", ...options] }, { engine, streams }) {
    const { Titles, Processes } = await containerTop(engine, container, options.join(" "));
    const lines = [Titles, ...(Processes ?? [])].map((cells) => `${cells.join("\t")}\n`);
    await streams.stdout.write(alignTabs(lines.join(""), { minWidth: 20, padding: 3 }));
    return 0;
  },
});
