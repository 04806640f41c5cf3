import type { Digest } from "#spec/digest.ts";
import { type ImageContext, imageLockKey } from "./image-context.ts";

/** Blobs younger than this may belong to an image that is being made, ms. */
const GRACE = 60 * 60 * 1000;

/** Bytes on disk that were freed. */
export interface Collected {
  readonly freedBytes: number;
}

/**
 * Removes what no image needs: layers of interrupted pulls and builds that are older than `layerAge` (ms; a younger one may be
 * wanted by the next try), stray blobs, and images that were kept for containers that are gone.
 */
export async function collectGarbage(context: ImageContext, layerAge: number = GRACE): Promise<Collected> {
  const hidden = await removeHiddenImages(context);
  // Names move: an index that they have left is of no use.
  context.database.transaction(() => context.indexes.removeUnnamed());
  const unused = context.images.unusedLayers(Date.now() - layerAge);
  const { freedBytes } = await context.layers.removeUnreferenced(unused);
  return { freedBytes: hidden.freedBytes + freedBytes + (await removeStrayBlobs(context)) };
}

/**
 * Removes images that were removed by force while a stopped container needed them, once no container does. Call it after removing a
 * container; it costs nothing when there is no such image.
 */
export async function removeHiddenImages(context: ImageContext): Promise<Collected> {
  let freedBytes = 0;
  for (const id of context.images.hiddenIds()) {
    // Whoever makes this very image again would lose its files.
    using _locked = await context.locks.acquire(imageLockKey(id));
    if (!context.images.find(id)?.hidden || context.users.usersOf(id).length > 0) continue;
    const manifest = context.images.find(id)?.manifest?.digest;
    const unneeded = context.images.remove(id);
    await context.blobs.remove(id);
    if (manifest) await context.blobs.remove(manifest);
    freedBytes += (await context.layers.removeUnreferenced(unneeded)).freedBytes;
  }
  return { freedBytes };
}

async function removeStrayBlobs(context: ImageContext): Promise<number> {
  let freedBytes = 0;
  for await (const { digest, size } of strayBlobs(context)) {
    await context.blobs.remove(digest);
    freedBytes += size;
  }
  return freedBytes;
}

/** Blobs that no image needs and that are too old to belong to one that is being made, with their bytes. */
export async function* strayBlobs(
  context: ImageContext,
): AsyncGenerator<{ readonly digest: Digest; readonly size: number }, void, undefined> {
  const stored = await context.blobs.list();
  const needed = context.images.neededBlobs();
  for (const digest of stored.filter((candidate) => !needed.has(candidate))) {
    const found = await context.blobs.stat(digest);
    if (found && found.modified <= Date.now() - GRACE) yield { digest, size: found.size };
  }
}
