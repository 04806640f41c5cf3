import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { tarName } from "#formats/tar/tar-entry.ts";
import { cleanPath } from "../ops/copy/select-sources.ts";
import type { FileTree } from "../ops/trees/file-tree.ts";
import { resolveLinks } from "../ops/trees/resolve-links.ts";

/** Longer ones are no Dockerfiles, bytes. */
const MAX_DOCKERFILE = 8 * 1024 * 1024;

/**
 * The Dockerfile at `name` in a context, links followed within it; for the default name a lower-case `dockerfile` will do. Throws NotFoundError in BuildKit's
 * words, InvalidParameterError for one that is too large.
 */
export function findDockerfile(tree: FileTree, name: string): Uint8Array {
  const wanted = cleanPath(tarName(name));
  for (const candidate of wanted === "Dockerfile" ? [wanted, "dockerfile"] : [wanted]) {
    const path = resolveLinks(tree, candidate);
    const node = tree.lstat(path);
    if (node?.type !== "file") continue;
    if (node.size > MAX_DOCKERFILE) throw new InvalidParameterError(`failed to read dockerfile: ${name} is too large`);
    return tree.read(path, node);
  }
  throw new NotFoundError(`failed to read dockerfile: open ${name}: no such file or directory`);
}
