import type { Engine } from "#engine/engine.ts";
import { imageRootTar } from "#engine/images/archive/root-tar.ts";
import { createImage } from "#engine/images/create.ts";
import { askImageFiles } from "#engine/images/image-files.ts";
import { LocalImages } from "#engine/images/lookup.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { hostPlatform } from "#formats/platform.ts";
import type { TarHeader } from "#formats/tar/tar-entry.ts";
import { TAR_END, tarHeader } from "#formats/tar/tar-writer.ts";
import type { FileAction } from "#proto/ops_pb.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageConfig } from "#spec/oci-image.ts";
import { directoryEntries, removalEntries } from "./root-changes.ts";
import { rootDifference } from "./root-difference.ts";

/** An image of the engine's; undefined is scratch. */
export type Root = Digest | undefined;

type Parts = Pick<Engine, "images" | "containers">;

/** The layers of all roots, one upon the other: a later one's files and deletions count. The first one's configuration stays. */
export async function mergedRoots({ images }: Parts, roots: readonly Root[]): Promise<Digest> {
  return await images.layers.withLease(async () => {
    const layers = roots.flatMap((root) => layersOf(images, root));
    return await imageOf(images, roots[0], layers);
  });
}

/**
 * What makes `upper` of `lower`, deletions too. Where the one stands on the other's layers these are the rest of them; else both are compared file by file.
 * https://github.com/moby/buildkit/blob/master/docs/dev/merge-diff.md
 */
export async function rootsDifference(
  { images, containers }: Parts,
  lower: Root,
  upper: Root,
  signal: AbortSignal,
): Promise<Digest> {
  return await images.layers.withLease(async () => {
    const below = layersOf(images, lower);
    const all = layersOf(images, upper);
    if (below.every((layer, at) => layer === all[at])) return await imageOf(images, undefined, all.slice(below.length));
    const tar = (root: Root) =>
      async function* read() {
        if (root) yield* imageRootTar(images, containers.snapshotter, root, { signal });
        else yield TAR_END;
      };
    const { diffId } = await images.layers.ingest(rootDifference(tar(lower), tar(upper)), { signal });
    return await imageOf(images, undefined, [diffId]);
  });
}

/** A root after an action that no instruction of a Dockerfile does: rm, and mkdir with a mode or owner. Throws as removalEntries and directoryEntries do. */
export async function changedRoot(
  { images, containers }: Parts,
  root: Root,
  { action }: FileAction,
  signal: AbortSignal,
): Promise<Digest> {
  return await images.layers.withLease(async () => {
    const base = root ?? (await imageOf(images, undefined, []));
    const entries = await askImageFiles(images, containers.snapshotter, base, (files) => {
      if (action.case === "rm") return removalEntries(files, action.value);
      if (action.case === "mkdir") return directoryEntries(files, action.value);
      throw new InvalidParameterError(`invalid LLB definition: ${action.case} is no change of a root`);
    });
    const layers = layersOf(images, root);
    if (entries.length === 0) return await imageOf(images, root, layers);
    const { diffId } = await images.layers.ingest(tarOf(entries), { signal });
    return await imageOf(images, root, [...layers, diffId]);
  });
}

async function* tarOf(entries: readonly TarHeader[]): AsyncGenerator<Uint8Array, void, void> {
  for (const entry of entries) yield tarHeader(entry);
  yield TAR_END;
}

function layersOf(images: Engine["images"], root: Root): readonly Digest[] {
  return root === undefined ? [] : new LocalImages(images).layers(root).map(({ diffId }) => diffId);
}

/** The same for the same layers: nothing in it is of its moment. */
async function imageOf(images: Engine["images"], like: Root, layers: readonly Digest[]): Promise<Digest> {
  const { os, architecture } = hostPlatform();
  const known = like === undefined ? undefined : new LocalImages(images).config(like);
  const config: ImageConfig = {
    ...(known ? { os: known.os, architecture: known.architecture } : { os, architecture }),
    ...(known?.variant ? { variant: known.variant } : {}),
    config: known?.config ?? {},
    rootfs: { type: "layers", diff_ids: layers },
    history: layers.map(() => ({ created_by: "LLB", comment: "buildkit.exporter.image.v0" })),
  };
  return await createImage(images, config, []);
}
