/*
 * How a layer says that something below it is gone. https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
 */
import { InvalidParameterError } from "#errors/errors.ts";
import { tarText } from "./tar/tar-entry.ts";

/** `.wh.NAME`: NAME of the layers below is not there any more. */
export const WHITEOUT_PREFIX = ".wh.";
/** In a directory: nothing that the layers below have in it is there any more. */
export const OPAQUE_MARKER = ".wh..wh..opq";

/** The name of the entry that deletes `path`. */
export function whiteoutOf(path: string): string {
  const slash = path.lastIndexOf("/") + 1;
  return `${path.slice(0, slash)}${WHITEOUT_PREFIX}${path.slice(slash)}`;
}

/** Throws InvalidParameterError for a file that would delete another when the layer is read. `path` is latin1, relative. */
export function refuseWhiteoutName(path: string): void {
  if (!path.startsWith(WHITEOUT_PREFIX, path.lastIndexOf("/") + 1)) return;
  throw new InvalidParameterError(
    `cannot store "/${tarText(path)}" in a layer: names that begin with "${WHITEOUT_PREFIX}" mark deletions; rename it`,
  );
}
