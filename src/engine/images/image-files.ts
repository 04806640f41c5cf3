import type { ImageContext } from "#engine/images/image-context.ts";
import { LocalImages } from "#engine/images/lookup.ts";
import { openContainerFiles } from "#files/container-files.ts";
import { type FileRange, listTreeFiles, readTreeFile, statTreeFile, type TreeFile } from "#files/tree-files.ts";
import type { Snapshotter } from "#snapshot/snapshotter.ts";
import type { Digest } from "#spec/digest.ts";

export type { FileRange, TreeFile };

/** Questions about the files of an image, as its containers first see them. */
export interface ImageFiles {
  /** Throws NotFoundError, InvalidParameterError for what is no file or too long. */
  read(path: string, range: FileRange): Uint8Array;
  /** Throws NotFoundError. */
  stat(path: string): TreeFile;
  /** Throws NotFoundError, InvalidParameterError for what is no directory. */
  list(path: string): TreeFile[];
}

/** Answers `ask` from the files of an image, whose layers are mounted meanwhile. Throws NotFoundError without such an image, and what `ask` throws. */
export async function askImageFiles<T>(
  images: ImageContext,
  snapshotter: Pick<Snapshotter, "view">,
  id: Digest,
  ask: (files: ImageFiles) => T,
): Promise<T> {
  await using root = await snapshotter.view(new LocalImages(images).layers(id));
  using tree = openContainerFiles({ root: root.path, mounts: [], pid: 0 });
  return ask({
    read: (path, range) => readTreeFile(tree, path, range),
    stat: (path) => statTreeFile(tree, path),
    list: (path) => listTreeFiles(tree, path),
  });
}
