import { inspectBuild } from "#client/build-history.ts";
import { builderFlag } from "../../build/builder-flag.ts";
import { atMost } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { stringFlag } from "../../grammar/flag.ts";
import { buildRecordText } from "../../output/build-record-text.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] [REF]",
  about: "Inspect a build record: its steps, why each of them ran, and what went into their cache keys",
  spellings: ["build history inspect", "builder history inspect", "buildx history inspect"],
  arguments: atMost(1),
  flags: {
    ...builderFlag,
    format: stringFlag(
      `Format output:
'pretty':           Readable text (default)
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template`,
      { initial: "pretty" },
    ),
  },
  async run({ args, flags }, { engine, streams }) {
    const record = await inspectBuild(engine, args[0] ?? "");
    if (flags.format === "pretty") await streams.stdout.write(buildRecordText(record));
    else if (flags.format === "json") await streams.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
    else {
      const { parseInspectTemplate } = await import("../../output/inspect-template.ts");
      await streams.stdout.write(`${parseInspectTemplate(flags.format, 1)(record)}\n`);
    }
    return 0;
  },
});
