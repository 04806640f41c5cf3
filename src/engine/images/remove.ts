import { chainId, digestHex, isDigest } from "#formats/digest.ts";
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
import type { Platform } from "#spec/oci-image.ts";
import type { ImageRecord } from "#store/image-record.ts";
import { type ImageContext, imageLockKey } from "./image-context.ts";
import { defaultImage, resolveImage } from "./platform-image.ts";
import { isSingleName, lastNameError, removalConflict, removalConflictError } from "./remove-conflict.ts";

export interface RemoveImageOptions {
  readonly force: boolean;
  /** Only these of a name's platforms go; the name stays while it has another one here. */
  readonly platforms?: readonly Platform[];
  /** Leave images without a name that this one was committed from. */
  readonly keepParents?: boolean;
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
  const { platforms = [], force } = options;
  const items: ImageDeleteItem[] = [];
  if (platforms.length === 0) {
    const { id, parent } = context.images.resolve(nameOrId);
    items.push(...(await removeMeasured(context, nameOrId, { force })).items);
    if (!context.images.find(id) && !options.keepParents) items.push(...(await removeParents(context, parent)));
  }
  for (const platform of platforms) items.push(...(await removeMeasured(context, nameOrId, { force, platform })).items);
  return items;
}

/** As `removeImage` (of one platform at most), and says how many bytes it freed. */
export async function removeMeasured(
  context: ImageContext,
  nameOrId: string,
  { force, platform }: { readonly force: boolean; readonly platform?: Platform },
): Promise<MeasuredRemoval> {
  const { id, labels } = resolveImage(context, nameOrId, platform);
  const isWhole = isIdOrPrefix(id, nameOrId) || isIndexDigest(nameOrId);
  const beside = variantsBeside(context, id);
  using _locked = await lockImages(context, [id, ...beside]);
  // No await inside: what was checked still holds when the transaction ends.
  const { untagged, removals, indexes } = context.database.transaction(() => {
    const isPart = platform !== undefined && leaveIndex(context, nameOrId, id);
    const step = isPart
      ? { untagged: [], isDone: false }
      : isWhole
        ? removeSingleName(context, id, force)
        : removeName(context, id, nameOrId, force);
    const row = step.isDone ? undefined : removeRow(context, id, step.untagged.length > 0, force);
    const variants = beside.flatMap((variant) => removeVariant(context, variant) ?? []);
    return {
      untagged: [...step.untagged, ...(row?.untagged ?? [])],
      removals: [...(row ? [row] : []), ...variants],
      indexes: context.indexes.removeUnnamed(),
    };
  });
  // The digests that go with a repository's last tag are told of, but are no events.
  const events = isWhole ? untagged : untagged.filter((name, at) => at === 0 || !name.includes("@"));
  for (const _ of events) context.events.publish("image", "untag", id, { ...labels, name: id });
  const items = untagged.map((name): ImageDeleteItem => ({ Untagged: name }));
  let freedBytes = 0;
  for (const index of indexes) await context.blobs.remove(index);
  for (const removal of removals) {
    const freed = await removeFiles(context, removal);
    context.events.publish("image", "delete", removal.id, { ...removal.labels, name: removal.id });
    items.push({ Deleted: removal.id }, ...freed.items);
    freedBytes += freed.bytes;
  }
  return { items, freedBytes };
}

/** Removes the images that a removed one was committed from, as far up as they have no name, no other child and no container. */
async function removeParents(context: ImageContext, first: Digest | undefined): Promise<ImageDeleteItem[]> {
  const items: ImageDeleteItem[] = [];
  let next = first;
  while (next) {
    const image = context.images.find(next);
    if (!image || image.hidden || !isForgotten(context, next)) break;
    items.push(...(await removeMeasured(context, next, { force: false })).items);
    next = image.parent;
  }
  return items;
}

function isForgotten({ images, indexes, users }: ImageContext, id: Digest): boolean {
  const { references, digests } = indexes.names(id);
  return references.length + digests.length === 0 && !images.hasChildren(id) && users.usersOf(id).length === 0;
}

/** In one order for everybody, so that no two wait for each other. */
async function lockImages(context: ImageContext, ids: readonly Digest[]): Promise<Disposable> {
  const stack = new DisposableStack();
  for (const id of ids.toSorted()) stack.use(await context.locks.acquire(imageLockKey(id)));
  return stack;
}

/** Variants that are reached through the same names as the image. */
function variantsBeside({ indexes }: ImageContext, id: Digest): Digest[] {
  const variants = indexes.variants();
  const parts = indexes.holding(id).flatMap((index) => indexes.parts(index).map(({ image }) => image.id));
  return [...new Set(parts)].filter((part) => part !== id && variants.has(part));
}

/** Gives the names of an image to another one of its index. False when there is none: then the names go with it. */
function leaveIndex({ indexes }: ImageContext, name: string, id: Digest): boolean {
  const index = indexes.of(name);
  const others = index ? indexes.parts(index.digest).filter(({ image }) => image.id !== id) : [];
  const [first] = others;
  if (!index || !first) return false;
  const images = others.map(({ image }) => image);
  indexes.moveNames(index.digest, id, defaultImage(images, first.image.id));
  return true;
}

/** A variant goes when no name reaches it any more, unless a container needs it: then it is an image without a name. */
function removeVariant(context: ImageContext, id: Digest): RowRemoval | undefined {
  const isReached = context.indexes.holding(id).length > 0;
  return isReached || context.users.usersOf(id).length > 0 ? undefined : removeRow(context, id, true, false);
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
  readonly labels: ImageRecord["labels"];
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
  const { manifest, labels = null } = images.find(id) ?? {};
  const diffIds = images.layers(id).map((layer) => layer.diffId);
  const untagged = dropAllNames(context, id);
  const isNeeded = users.usersOf(id).length > 0;
  if (isNeeded) images.hide(id);
  return {
    id,
    untagged,
    labels,
    manifest: manifest?.digest,
    diffIds,
    unneeded: isNeeded ? undefined : images.remove(id),
  };
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

/** What is no id and yet was found: several platforms' images, together. */
function isIndexDigest(text: string): boolean {
  return isDigest(text) || /^[0-9a-f]{64}$/.test(text);
}

/** moby's isImageIDPrefix: `sha256:abc…` or `abc…`. */
function isIdOrPrefix(id: Digest, text: string): boolean {
  return id.startsWith(text) || digestHex(id).startsWith(text);
}
