import { buildLog } from "#client/build-history.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { builderFlag } from "../../build/builder-flag.ts";
import { createProgress } from "../../build-progress/progress.ts";
import { atMost } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { stringFlag } from "../../grammar/flag.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] [REF]",
  about: "Print the whole output of a build",
  spellings: ["build history logs", "builder history logs", "buildx history logs"],
  arguments: atMost(1),
  flags: {
    ...builderFlag,
    progress: stringFlag('Set type of progress output ("plain", "rawjson", "tty")', { initial: "plain" }),
  },
  async run({ args, flags }, { engine, streams, environment }) {
    if (!["plain", "rawjson", "tty"].includes(flags.progress)) {
      throw new InvalidParameterError(`invalid progress mode ${flags.progress}: use plain, rawjson or tty`);
    }
    const progress = createProgress(flags.progress, streams.stdout, {
      size: () => streams.terminalSize(),
      environment,
      description: "berth",
    });
    try {
      for await (const status of buildLog(engine, args[0] ?? "")) await progress.update(status);
    } finally {
      await progress.finish();
    }
    await streams.stdout.write(progress.remarks());
    return 0;
  },
});
