import { digestHex, digestOf } from "#formats/digest.ts";
import { familiarName, familiarString, parseReference } from "#formats/reference.ts";
import { type Descriptor, MEDIA_TYPE } from "#spec/oci-image.ts";
import type { ImageRecord } from "#store/image-record.ts";
import type { Layer } from "#store/layer-store.ts";
import type { Annotations, IndexAnnotations } from "./save-annotations.ts";

/** An image on its way into an archive. */
export interface SavedImage {
  readonly record: ImageRecord;
  /** Canonical names. */
  readonly references: readonly string[];
  /** Those of them that mean this image where a reader knows no platforms. */
  readonly defaultFor: ReadonlySet<string>;
  readonly config: Uint8Array;
  /** Bottom first. */
  readonly layers: readonly Layer[];
  /** Of its manifest. */
  readonly annotations?: Annotations | undefined;
}

export interface SaveDocuments {
  /** Configs and manifests, to be stored under their digests. */
  readonly blobs: readonly Uint8Array[];
  /** The index files at the archive's top, in the order of their names. */
  readonly documents: readonly (readonly [name: string, bytes: Uint8Array])[];
}

/**
 * The JSON of an archive. https://github.com/opencontainers/image-spec/blob/main/image-layout.md and, for manifest.json and
 * repositories, https://github.com/moby/docker-image-spec/blob/main/spec.md#combined-image-json--filesystem-changeset-format
 */
export function saveDocuments(
  images: readonly SavedImage[],
  indexes: ReadonlyMap<string, IndexAnnotations | undefined> = new Map(),
): SaveDocuments {
  const manifests = images.map(ociManifest);
  const described = images.map((image, at) => ({
    image,
    descriptor: describe(image, manifests[at] ?? new Uint8Array()),
  }));
  const nameless = described.filter(({ image }) => image.references.length === 0);
  const named = Map.groupBy(
    described.flatMap(({ image, descriptor }) =>
      image.references.map((reference) => {
        const annotations = indexes.get(reference)?.entries.get(image.record.id);
        return { reference, descriptor: annotations ? { ...descriptor, annotations } : descriptor };
      }),
    ),
    ({ reference }) => reference,
  );
  const entries = [...named].map(([reference, parts]) =>
    nameEntry(
      reference,
      parts.map(({ descriptor }) => descriptor),
      indexes.get(reference)?.index,
    ),
  );
  return {
    blobs: [
      ...images.map((image) => image.config),
      ...manifests,
      ...entries.flatMap(({ indexBytes }) => (indexBytes ? [indexBytes] : [])),
    ],
    documents: [
      [
        "index.json",
        indexDocument([
          ...nameless.map(({ descriptor }) => descriptor),
          ...entries.map(({ descriptor }) => descriptor),
        ]),
      ],
      ["manifest.json", json(dockerEntries(images))],
      ["oci-layout", json({ imageLayoutVersion: "1.0.0" })],
      ["repositories", json(repositories(images))],
    ],
  };
}

function ociManifest({ config, layers, annotations }: SavedImage): Uint8Array {
  return json({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: { mediaType: MEDIA_TYPE.ociConfig, digest: digestOf(config), size: config.length },
    layers: layers.map(
      (layer): Descriptor => ({ mediaType: MEDIA_TYPE.ociLayer, digest: layer.diffId, size: layer.size }),
    ),
    ...(annotations ? { annotations } : {}),
  });
}

function describe({ record }: SavedImage, manifest: Uint8Array): Descriptor {
  const { platform } = record;
  return { mediaType: MEDIA_TYPE.ociManifest, digest: digestOf(manifest), size: manifest.length, platform };
}

/** A name of one image points at its manifest, a name of several at an index of them. */
function nameEntry(
  reference: string,
  parts: readonly Descriptor[],
  own: Annotations | undefined,
): { readonly descriptor: Descriptor; readonly indexBytes?: Uint8Array } {
  const annotations = {
    "io.containerd.image.name": reference,
    "org.opencontainers.image.ref.name": parseReference(reference).tag ?? "",
  };
  const [only] = parts;
  if (only && parts.length === 1)
    return { descriptor: { ...only, annotations: { ...only.annotations, ...annotations } } };
  const indexBytes = indexDocument(parts, own);
  const { length: size } = indexBytes;
  return {
    descriptor: { mediaType: MEDIA_TYPE.ociIndex, digest: digestOf(indexBytes), size, annotations },
    indexBytes,
  };
}

function indexDocument(manifests: readonly Descriptor[], annotations?: Annotations): Uint8Array {
  const noted = annotations ? { annotations } : {};
  return json({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests, ...noted });
}

/** Docker's own list knows one image a name: the others are in the index only. */
function dockerEntries(images: readonly SavedImage[]): object[] {
  return images
    .filter((image) => image.references.length === 0 || image.defaultFor.size > 0)
    .map((image) =>
      dockerEntry({ ...image, references: image.references.filter((name) => image.defaultFor.has(name)) }),
    );
}

function dockerEntry({ record, references, layers }: SavedImage): object {
  const path = (layer: Layer): string => `blobs/sha256/${digestHex(layer.diffId)}`;
  return {
    Config: `blobs/sha256/${digestHex(record.id)}`,
    RepoTags: references.length > 0 ? references.map((name) => familiarString(parseReference(name))) : null,
    Layers: layers.map(path),
  };
}

/** What Docker before 1.10 read: repository → tag → top layer. */
function repositories(images: readonly SavedImage[]): Record<string, Record<string, string>> {
  const names: Record<string, Record<string, string>> = {};
  for (const { defaultFor, layers } of images) {
    const top = layers.at(-1);
    for (const reference of [...defaultFor].map(parseReference)) {
      if (!top || !reference.tag) continue;
      names[familiarName(reference)] = { ...names[familiarName(reference)], [reference.tag]: digestHex(top.diffId) };
    }
  }
  return names;
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
