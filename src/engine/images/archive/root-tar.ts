import type { ImageContext } from "#engine/images/image-context.ts";
import { LocalImages } from "#engine/images/lookup.ts";
import { SystemError } from "#errors/errors.ts";
import { openContainerFiles } from "#files/container-files.ts";
import { type TreeTarOptions, treeTar } from "#files/tree-tar.ts";
import type { Snapshotter } from "#snapshot/snapshotter.ts";
import type { Digest } from "#spec/digest.ts";

/**
 * The files of an image as its containers first see them, as a tar. Its layers are mounted while it is read: read it to its end or leave its
 * loop. Throws NotFoundError, CancelledError, SystemError.
 */
export async function* imageRootTar(
  context: ImageContext,
  snapshotter: Pick<Snapshotter, "view">,
  id: Digest,
  options: Partial<TreeTarOptions> & { readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, void> {
  await using root = await snapshotter.view(new LocalImages(context).layers(id));
  using tree = openContainerFiles({ root: root.path, mounts: [], pid: 0 });
  using place = tree.findItself("/");
  if (!place) throw new SystemError(`cannot read the files of image ${id}`);
  yield* treeTar(tree, place, { name: undefined, ...options });
}
