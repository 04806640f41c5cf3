import { InvalidParameterError } from "#errors/errors.ts";

/**
 * A name or id as part of a path, without blanks around it. Throws InvalidParameterError when nothing is left: such a path would be another call, and
 * `stop "$ID"` of a variable that is empty would be taken for done. https://github.com/moby/moby/blob/v28.2.2/client/utils.go (trimID)
 */
export function pathName(kind: "container" | "exec" | "network" | "volume" | "image", name: string): string {
  const trimmed = name.trim();
  if (trimmed === "") throw new InvalidParameterError(`invalid ${kind} name or ID: value is empty`);
  return trimmed
    .split("/")
    .map(encodeURIComponent)
    .join(kind === "image" ? "/" : "%2F");
}
