import { alignTabs } from "#formats/tabwriter.ts";
import { builderInstance } from "../../build/builder-instance.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";

export const command: Command = defineCommand({
  usage: "",
  about: "List builder instances",
  arguments: NO_ARGUMENTS,
  flags: {},
  async run(_, context) {
    const { name, version, platforms } = await builderInstance(context);
    const lines = [
      ["NAME/NODE", "DRIVER/ENDPOINT", "STATUS", "BUILDKIT", "PLATFORMS"],
      [`${name}*`, "docker", "", "", ""],
      [` \\_ ${name}`, ` \\_ ${name}`, "running", version, platforms],
    ];
    await context.streams.stdout.write(alignTabs(lines.map((cells) => `${cells.join("\t")}\n`).join("")));
    return 0;
  },
});
