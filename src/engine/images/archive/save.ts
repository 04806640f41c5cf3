import type { ImageContext } from "#engine/images/image-context.ts";
import { publishImageEvent } from "#engine/images/image-event.ts";
import { LocalImages } from "#engine/images/lookup.ts";
import { defaultImage, imagesBehind, resolveImage } from "#engine/images/platform-image.ts";
import { NotFoundError } from "#errors/errors.ts";
import { digestHex, digestOf } from "#formats/digest.ts";
import { parseReference, repositoryName, tagNameOnly } from "#formats/reference.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import type { Digest } from "#spec/digest.ts";
import type { Platform } from "#spec/oci-image.ts";
import type { ImageRecord } from "#store/image-record.ts";
import type { Layer } from "#store/layer-store.ts";
import { annotationsOf, indexAnnotations } from "./save-annotations.ts";
import { type SavedImage, saveDocuments } from "./save-documents.ts";

export interface SaveOptions {
  /** Of each name's platforms, these; all that are here when it is empty. */
  readonly platforms?: readonly Platform[];
  readonly signal?: AbortSignal;
}

/**
 * One tar with the images, in Docker's layout and in OCI's at once (as `docker save` writes since version 25): every layer once,
 * uncompressed, straight from its layer file. A name without tag means all tags of the repository. Resolves when all names are found;
 * reading the result streams. Throws NotFoundError (`No such image: x:latest`), DataLossError when a file of theirs is gone.
 */
export async function saveImages(
  context: ImageContext,
  names: readonly string[],
  { platforms = [], signal }: SaveOptions = {},
): Promise<AsyncIterable<Uint8Array>> {
  const images = await readImages(context, selectImages(context, names, platforms));
  // Once the archive streams, its reader could only be told by its end.
  for (const { layers } of images) await Promise.all(layers.map((layer) => context.layers.checkPresence(layer)));
  for (const { record } of images) publishImageEvent(context, "save", record.id, { name: record.id });
  return writeArchive(context, images, signal);
}

interface Selection {
  readonly record: ImageRecord;
  /** Canonical names to save it under. */
  readonly references: Set<string>;
  /** Those of them that mean this one where a reader knows no platforms. */
  readonly defaultFor: Set<string>;
}

function selectImages(context: ImageContext, names: readonly string[], platforms: readonly Platform[]): Selection[] {
  const selected = new Map<Digest, Selection>();
  const select = (name: string, reference: string | undefined): void => {
    const records = recordsOf(context, name, platforms);
    for (const record of records) {
      const known = selected.get(record.id) ?? { record, references: new Set(), defaultFor: new Set() };
      selected.set(record.id, known);
      if (!reference) continue;
      known.references.add(reference);
      if (record.id === defaultImage(records, records[0]?.id ?? record.id)) known.defaultFor.add(reference);
    }
  };
  for (const name of names) {
    const tagged = isBareName(name) ? taggedIn(context, name) : [];
    for (const reference of tagged) select(reference, reference);
    if (tagged.length === 0) select(name, nameUsed(context, findUntagged(context, name), name));
  }
  return [...selected.values()];
}

function recordsOf(context: ImageContext, name: string, platforms: readonly Platform[]): readonly ImageRecord[] {
  if (platforms.length > 0) return platforms.map((platform) => resolveImage(context, name, platform));
  return imagesBehind(context, name, context.images.resolve(name));
}

/** Docker looks for all tags of a bare name: there is no `:latest` in what it says. */
function findUntagged(context: ImageContext, name: string): ImageRecord {
  const found = context.images.tryResolve(name);
  if (found) return found;
  if (isBareName(name)) throw new NotFoundError(`No such image: ${name}`);
  return context.images.resolve(name);
}

/** The canonical name, when the image was named by it and not by its id. */
function nameUsed(context: ImageContext, record: ImageRecord, name: string): string | undefined {
  return context.images.names(record.id).references.find((reference) => {
    const { domain, path, tag } = parseReference(reference);
    if (/^(sha256:)?[0-9a-f]{64}$/.test(name)) return false;
    const asked = tagNameOnly(parseReference(name));
    return !asked.digest && asked.domain === domain && asked.path === path && asked.tag === tag;
  });
}

function isBareName(name: string): boolean {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(name)) return false;
  const { tag, digest } = parseReference(name);
  return !tag && !digest;
}

function taggedIn(context: ImageContext, name: string): string[] {
  const repository = repositoryName(parseReference(name));
  const tagged = context.images.list().flatMap(({ references }) => references);
  return tagged.filter((reference) => repositoryName(parseReference(reference)) === repository).sort();
}

async function readImages(context: ImageContext, selection: readonly Selection[]): Promise<SavedImage[]> {
  const local = new LocalImages(context);
  return Promise.all(
    selection.map(async ({ record, references, defaultFor }) => ({
      record,
      references: [...references].sort(),
      defaultFor,
      config: await context.blobs.read(record.id),
      layers: local.layers(record.id),
      annotations: await annotationsOf(context, record),
    })),
  );
}

async function* writeArchive(
  context: ImageContext,
  images: readonly SavedImage[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  using _lease = holdLayers(context, images);
  const names = [...new Set(images.flatMap(({ references }) => references))];
  const noted = await Promise.all(names.map(async (name) => [name, await indexAnnotations(context, name)] as const));
  const { blobs, documents } = saveDocuments(images, new Map(noted));
  const layers = new Map(images.flatMap((image) => image.layers.map((layer) => [layer.diffId, layer] as const)));
  yield directory("blobs/");
  yield directory("blobs/sha256/");
  // An image's config is as old as the image, as in Docker's archives: every save of it gives the same bytes.
  const created = new Map(images.map(({ record }) => [record.id, Math.max(0, Math.floor(record.created / 1000))]));
  for (const bytes of blobs) {
    const digest = digestOf(bytes);
    yield* file(`blobs/sha256/${digestHex(digest)}`, bytes, created.get(digest));
  }
  for (const layer of layers.values()) {
    yield header(`blobs/sha256/${digestHex(layer.diffId)}`, layer.size);
    for await (const chunk of context.layers.readTar(layer)) {
      signal?.throwIfAborted();
      yield chunk;
    }
    yield tarPadding(layer.size);
  }
  for (const [name, bytes] of documents) yield* file(name, bytes);
  yield TAR_END;
}

/** Keeps the layers from being removed while the archive is read, which may take as long as its reader likes. */
function holdLayers(context: ImageContext, images: readonly SavedImage[]): Disposable {
  const done = Promise.withResolvers<void>();
  const touch = ({ diffId }: Layer): void => {
    if (!context.layers.layer(diffId)) throw new NotFoundError(`layer ${diffId}: not found`);
  };
  const held = context.layers.withLease(async () => {
    for (const image of images) image.layers.forEach(touch);
    await done.promise;
  });
  // A layer that is gone already shows itself when it is read.
  held.catch(() => undefined);
  return { [Symbol.dispose]: () => done.resolve() };
}

function* file(path: string, bytes: Uint8Array, seconds = 0): Generator<Uint8Array, void, undefined> {
  yield header(path, bytes.length, seconds);
  yield bytes;
  yield tarPadding(bytes.length);
}

function header(path: string, size: number, seconds = 0): Uint8Array {
  return tarHeader({ path, type: "file", mode: 0o644, uid: 0, gid: 0, mtime: { seconds, nanoseconds: 0 }, size });
}

function directory(path: string): Uint8Array {
  return tarHeader({
    path,
    type: "directory",
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtime: { seconds: 0, nanoseconds: 0 },
    size: 0,
  });
}
