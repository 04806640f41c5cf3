import { tagImage } from "#client/images.ts";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { familiarName, parseReference, type Reference, tagNameOnly } from "#formats/reference.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";

export const command: Command = defineCommand({
  usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
  about: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  spellings: ["image tag", "tag"],
  arguments: exactly(2),
  flags: {},
  async run({ args: [source = "", target = ""] }, { engine }) {
    const reference = tagNameOnly(parseTarget(target));
    if (reference.digest) throw new InvalidParameterError("refusing to create a tag with a digest reference");
    await tagImage(engine, source, familiarName(reference), reference.tag ?? "");
    return 0;
  },
});

function parseTarget(target: string): Reference {
  try {
    return parseReference(target);
  } catch (cause) {
    throw new InvalidParameterError(
      `Error parsing reference: "${target}" is not a valid repository/tag: ${errorMessage(cause)}`,
      { cause },
    );
  }
}
