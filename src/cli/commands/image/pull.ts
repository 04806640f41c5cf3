import { InvalidParameterError } from "#errors/errors.ts";
import { parseReference, tagNameOnly } from "#formats/reference.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, stringFlag } from "../../grammar/flag.ts";
import { checkContentTrust } from "../../run/unsupported-flags.ts";
import { pull, pulledName } from "../../transfer/pull.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
  about: "Download an image from a registry",
  spellings: ["image pull", "pull"],
  arguments: exactly(1),
  flags: {
    "all-tags": booleanFlag("Download all tagged images in the repository", { short: "a" }),
    "disable-content-trust": booleanFlag("Skip image verification", { initial: true }),
    platform: stringFlag("Set platform if server is multi-platform capable"),
    quiet: booleanFlag("Suppress verbose output", { short: "q" }),
  },
  async run({ flags, given, args }, context) {
    const { stdout } = context.streams;
    checkContentTrust({ flags, given }, context.environment);
    const named = parseReference(args[0] ?? "");
    const isNameOnly = named.tag === undefined && named.digest === undefined;
    if (flags["all-tags"] && !isNameOnly) throw new InvalidParameterError("tag can't be used with --all-tags/-a");
    const reference = flags["all-tags"] ? named : tagNameOnly(named);
    if (isNameOnly && !flags["all-tags"] && !flags.quiet) {
      await stdout.write(`Using default tag: ${reference.tag ?? ""}\n`);
    }
    await pull(reference, { platform: flags.platform, quiet: flags.quiet, out: stdout }, context);
    await stdout.write(`${pulledName(reference)}\n`);
    return 0;
  },
});
