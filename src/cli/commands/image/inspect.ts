import { inspectImage } from "#client/images.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { stringFlag } from "../../grammar/flag.ts";
import { inspectFormatFlag } from "../../output/format-flag.ts";
import { inspectAll } from "../../output/inspect.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  about: "Display detailed information on one or more images",
  arguments: atLeast(1),
  flags: {
    format: inspectFormatFlag(),
    platform: stringFlag(`Inspect a specific platform of the multi-platform image.
If the image or the server is not multi-platform capable, the command will error out if the platform does not match.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)`),
  },
  run: ({ flags, args }, { engine, streams }) =>
    inspectAll(args, flags.format, streams, (name) => inspectImage(engine, name, flags.platform)),
});
