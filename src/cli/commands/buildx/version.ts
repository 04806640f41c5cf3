import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { buildCommit, VERSION } from "../../version.ts";

/** The buildx whose commands these are: tools compare it with the one that brought a flag they need. */
const SPOKEN = "v0.24.0";

export const command: Command = defineCommand({
  usage: "",
  about: "Show buildx version information",
  arguments: NO_ARGUMENTS,
  offline: true,
  flags: {},
  async run(_, { streams }) {
    await streams.stdout.write(`github.com/docker/buildx ${SPOKEN}+berth.${VERSION} ${buildCommit()}\n`);
    return 0;
  },
});
