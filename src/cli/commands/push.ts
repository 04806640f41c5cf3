import { pushImage } from "#client/image-transfer.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { familiarName, formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";
import { registryAuthHeader } from "../config/registry-auth.ts";
import { exactly } from "../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../grammar/command.ts";
import { booleanFlag, stringFlag } from "../grammar/flag.ts";
import { showMessages } from "../transfer/show-messages.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] NAME[:TAG]",
  about: "Upload an image to a registry",
  spellings: ["image push", "push"],
  arguments: exactly(1),
  flags: {
    "all-tags": booleanFlag("Push all tags of an image to the repository", { short: "a" }),
    platform: stringFlag("Accepted for docker's sake: Berth keeps one platform of an image", { hidden: true }),
    quiet: booleanFlag("Suppress verbose output", { short: "q" }),
  },
  async run({ flags, args }, context) {
    const { stdout } = context.streams;
    const named = parseReference(args[0] ?? "");
    if (flags["all-tags"] && named.tag !== undefined)
      throw new InvalidParameterError("tag can't be used with --all-tags/-a");
    const reference = flags["all-tags"] ? named : tagNameOnly(named);
    if (!flags["all-tags"] && named.tag === undefined && named.digest === undefined && !flags.quiet) {
      await stdout.write(`Using default tag: ${reference.tag ?? ""}\n`);
    }
    const messages = pushImage(context.engine, {
      name: familiarName(reference),
      tag: reference.tag ?? "",
      platform: flags.platform,
      auth: await registryAuthHeader(reference.domain, context),
      signal: context.signal,
    });
    await showMessages(messages, { out: stdout, quiet: flags.quiet, streams: context.streams });
    if (flags.quiet) await stdout.write(`${formatReference(reference)}\n`);
    return 0;
  },
});
