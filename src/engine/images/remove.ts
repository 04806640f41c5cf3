import { chainId, digestHex } from "#formats/digest.ts";
import {
  familiarString,
  formatReference,
  parseReference,
  type Reference,
  repositoryName,
  tagNameOnly,
} from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageDeleteItem } from "#spec/docker-images.ts";
import { type ImageContext, imageLockKey } from "./image-context.ts";
import { isSingleName, lastNameError, removalConflict, removalConflictError } from "./remove-conflict.ts";

export interface RemoveImageOptions {
  readonly force: boolean;
}

export interface MeasuredRemoval {
  /** `Untagged` and `Deleted` in the order of happening. */
  readonly items: readonly ImageDeleteItem[];
  /** Bytes on disk. */
  readonly freedBytes: number;
}

/**
 * Removes a name, and with the last name the image and the layers that nothing else needs; or, given an id, the whole image.
 * Rules, output and texts are moby's. Throws NotFoundError, ConflictError. Durable when it returns.
 */
export async function removeImage(
  context: ImageContext,
  nameOrId: string,
  options: RemoveImageOptions,
): Promise<readonly ImageDeleteItem[]> {
  return (await removeMeasured(context, nameOrId, options)).items;
}

/** As `removeImage`, and says how many bytes it freed. */
export async function removeMeasured(
  context: ImageContext,
  nameOrId: string,
  { force }: RemoveImageOptions,
): Promise<MeasuredRemoval> {
  const { id } = context.images.resolve(nameOrId);
  using _locked = await context.locks.acquire(imageLockKey(id));
  // No await inside: what was checked still holds when the transaction ends.
  const { untagged, removal } = context.database.transaction(() => {
    const step = isIdOrPrefix(id, nameOrId)
      ? removeSingleName(context, id, force)
      : removeName(context, id, nameOrId, force);
    const row = step.isDone ? undefined : removeRow(context, id, step.untagged.length > 0, force);
    return { untagged: [...step.untagged, ...(row?.untagged ?? [])], removal: row };
  });
  for (const _ of untagged) context.events.publish("image", "untag", id, { name: id });
  const items = untagged.map((name): ImageDeleteItem => ({ Untagged: name }));
  if (!removal) return { items, freedBytes: 0 };
  const freed = await removeFiles(context, removal);
  context.events.publish("image", "delete", id, { name: id });
  return { items: [...items, { Deleted: id }, ...freed.items], freedBytes: freed.bytes };
}

interface Untagging {
  /** Names taken away, as people write them. */
  readonly untagged: readonly string[];
  /** The image keeps other names: nothing more to do. */
  readonly isDone: boolean;
}

/** Step for a name: takes it away, and with a repository's last tag its digests too. */
function removeName(context: ImageContext, id: Digest, name: string, force: boolean): Untagging {
  const { images, users } = context;
  const user = users.usersOf(id)[0];
  if (!force && user && isSingleName(images.names(id))) throw lastNameError(name, id, user.id);
  const reference = tagNameOnly(parseReference(name));
  const untagged = [dropName(context, reference)];
  const left = images.names(id);
  const repository = repositoryName(reference);
  const hasSibling = left.references.some((other) => repositoryName(parseReference(other)) === repository);
  if (!reference.digest && !hasSibling) {
    for (const other of left.digests.map(parseReference)) {
      if (repositoryName(other) === repository) untagged.push(dropName(context, other));
    }
  }
  const rest = images.names(id);
  return { untagged, isDone: rest.references.length + rest.digests.length > 0 };
}

/** Step for an id: its names go with it when they are really one. */
function removeSingleName(context: ImageContext, id: Digest, force: boolean): Untagging {
  const names = context.images.names(id);
  if (!isSingleName(names)) return { untagged: [], isDone: false };
  const conflict = removalConflict(context.users, id, { references: [], digests: [] });
  if (conflict && !(conflict.soft && force)) throw removalConflictError(id, conflict);
  return { untagged: dropAllNames(context, id), isDone: false };
}

function dropAllNames(context: ImageContext, id: Digest): string[] {
  const { references, digests } = context.images.names(id);
  return [...references, ...digests].map((name) => dropName(context, parseReference(name)));
}

function dropName(context: ImageContext, reference: Reference): string {
  if (reference.digest) context.images.removeDigest(repositoryName(reference), reference.digest);
  else context.images.removeReference(formatReference(reference));
  return familiarString(reference);
}

interface RowRemoval {
  readonly id: Digest;
  /** Names that force took away, as people write them. */
  readonly untagged: readonly string[];
  readonly manifest: Digest | undefined;
  readonly diffIds: readonly Digest[];
  /** Layers that nothing in the database needs any more; undefined when a stopped container keeps the image. */
  readonly unneeded: readonly Digest[] | undefined;
}

/** Takes the image out of the database unless a conflict forbids it; if it was just untagged, a container's conflict leaves it so. */
function removeRow(context: ImageContext, id: Digest, wasUntagged: boolean, force: boolean): RowRemoval | undefined {
  const { images, users } = context;
  const conflict = removalConflict(users, id, images.names(id));
  if (conflict && !(conflict.soft && force)) {
    if (wasUntagged && conflict.used) return undefined;
    throw removalConflictError(id, conflict);
  }
  const manifest = images.find(id)?.manifest?.digest;
  const diffIds = images.layers(id).map((layer) => layer.diffId);
  const untagged = dropAllNames(context, id);
  const isNeeded = users.usersOf(id).length > 0;
  if (isNeeded) images.hide(id);
  return { id, untagged, manifest, diffIds, unneeded: isNeeded ? undefined : images.remove(id) };
}

async function removeFiles(
  context: ImageContext,
  removal: RowRemoval,
): Promise<{ readonly items: ImageDeleteItem[]; readonly bytes: number }> {
  if (!removal.unneeded) return { items: [], bytes: 0 };
  await context.blobs.remove(removal.id);
  if (removal.manifest) await context.blobs.remove(removal.manifest);
  const { removed, freedBytes } = await context.layers.removeUnreferenced(removal.unneeded);
  const gone = new Set(removed);
  // Docker names layers by the chain below them, top first.
  const items = removal.diffIds.flatMap((diffId, index) => {
    const chain = gone.has(diffId) ? chainId(removal.diffIds.slice(0, index + 1)) : undefined;
    return chain ? [{ Deleted: chain }] : [];
  });
  return { items: items.reverse(), bytes: freedBytes };
}

/** moby's isImageIDPrefix: `sha256:abc…` or `abc…`. */
function isIdOrPrefix(id: Digest, text: string): boolean {
  return id.startsWith(text) || digestHex(id).startsWith(text);
}
