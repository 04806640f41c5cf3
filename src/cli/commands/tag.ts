import { tagImage } from "#client/images.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { familiarName, parseReference, tagNameOnly } from "#formats/reference.ts";
import { exactly } from "../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../grammar/command.ts";

export const command: Command = defineCommand({
  usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
  about: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  spellings: ["image tag", "tag"],
  arguments: exactly(2),
  flags: {},
  async run({ args: [source = "", target = ""] }, { engine }) {
    const reference = tagNameOnly(parseReference(target));
    if (reference.digest) throw new InvalidParameterError("refusing to create a tag with a digest reference");
    await tagImage(engine, source, familiarName(reference), reference.tag ?? "");
    return 0;
  },
});
