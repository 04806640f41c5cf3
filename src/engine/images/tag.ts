import { InvalidParameterError } from "#errors/errors.ts";
import { familiarName, familiarString, parseReference, tagNameOnly } from "#formats/reference.ts";
import type { ImageContext } from "./image-context.ts";
import { publishImageEvent } from "./image-event.ts";

/**
 * Gives an image (by name, id or id prefix) one more name, with all platforms that a name has; the name moves if another image has it. Durable when it returns.
 * Throws NotFoundError, InvalidParameterError (a malformed name, or one with a digest).
 */
export function tagImage(context: ImageContext, source: string, target: string): void {
  const reference = tagNameOnly(parseReference(target));
  if (reference.digest) {
    throw new InvalidParameterError("refusing to create a tag with a digest reference");
  }
  if (familiarName(reference) === "sha256") {
    throw new InvalidParameterError("refusing to create an ambiguous tag using digest algorithm as name");
  }
  const { id } = context.images.resolve(source);
  context.images.setReference(reference, id, context.indexes.of(source)?.digest);
  publishImageEvent(context, "tag", id, { name: familiarString(reference) });
}
