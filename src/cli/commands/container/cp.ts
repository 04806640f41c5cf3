import { InvalidParameterError } from "#errors/errors.ts";
import { copyFromContainer } from "../../copy/from-container.ts";
import { copyToContainer } from "../../copy/to-container.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { PROGRAM } from "../../program.ts";

/** https://github.com/docker/cli/blob/v28.2.2/cli/command/container/cp.go */
export const command: Command = defineCommand({
  usage: `[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\t${PROGRAM} cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH`,
  about:
    "Copy files/folders between a container and the local filesystem\n\nUse '-' as the source to read a tar archive from stdin\nand extract it to a directory destination in a container.\nUse '-' as the destination to stream a tar archive of a\ncontainer source to stdout.",
  spellings: ["container cp", "cp"],
  arguments: exactly(2),
  flags: {
    archive: booleanFlag("Archive mode (copy all uid/gid information)", { short: "a" }),
    "follow-link": booleanFlag("Always follow symlinks in SRC_PATH", { short: "L" }),
    quiet: booleanFlag(
      "Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached",
      { short: "q" },
    ),
  },
  async run({ flags, args, given }, context) {
    const [from = "", to = ""] = args;
    if (from === "") throw new InvalidParameterError("source can not be empty");
    if (to === "") throw new InvalidParameterError("destination can not be empty");
    const [source, destination] = [splitArgument(from), splitArgument(to)];
    const options = {
      source: source.path,
      destination: destination.path,
      followLink: flags["follow-link"],
      copyOwner: flags.archive,
      quiet: given.has("quiet") ? flags.quiet : !context.streams.stdout.isTerminal,
    };
    if (source.container !== "" && destination.container !== "")
      throw new InvalidParameterError("copying between containers is not supported");
    if (source.container !== "") await copyFromContainer(context, source.container, options);
    else if (destination.container !== "") await copyToContainer(context, destination.container, options);
    else throw new InvalidParameterError("must specify at least one container source");
    return 0;
  },
});

/** `CONTAINER:PATH`, or a local path: an absolute one, one that begins with ".", or one without a colon. */
function splitArgument(argument: string): { readonly container: string; readonly path: string } {
  const colon = argument.indexOf(":");
  const isLocal = argument.startsWith("/") || argument.startsWith(".") || colon < 0;
  return isLocal
    ? { container: "", path: argument }
    : { container: argument.slice(0, colon), path: argument.slice(colon + 1) };
}
