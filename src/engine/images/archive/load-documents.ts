import type { StoredIndex } from "#engine/images/create.ts";
import {
  INDEX_TYPES,
  isAttestation,
  type ManifestDocument,
  parseImageConfig,
  parseManifestDocument,
} from "#engine/images/manifest-document.ts";
import { BerthError, DataLossError, InvalidParameterError } from "#errors/errors.ts";
import { digestHex, parseDigest } from "#formats/digest.ts";
import { parseReference, type Reference } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import { type Descriptor, type ImageIndex, MEDIA_TYPE } from "#spec/oci-image.ts";
import type { ImageArchive } from "./load-archive.ts";

/** One image of an archive. */
export interface LoadablePart {
  readonly config: Uint8Array;
  /** diffIDs of its layers as they were ingested, bottom first. */
  readonly layers: readonly Digest[];
  /** Absent from Docker's own archives. */
  readonly manifest?: { readonly bytes: Uint8Array; readonly mediaType: string; readonly isOurs: boolean };
}

/** What an archive has under one or more names: an image, or several of one index. */
export interface LoadableImage {
  /** Never empty. */
  readonly parts: readonly LoadablePart[];
  readonly references: readonly Reference[];
  readonly index?: StoredIndex;
}

/**
 * The images that an archive names: by Docker's manifest.json, else by OCI's index.json, which alone can tell of several platforms. With manifest.json a layer
 * may be left out, or be an empty file, when the store has it (`isStored`) by the diffID in the config: so builders give images back whose base they
 * never read (Cloud Native Buildpacks). Throws InvalidParameterError when it has neither or they are malformed, and what a layer of theirs failed with.
 */
export function listArchiveImages(archive: ImageArchive, isStored: (diffId: Digest) => boolean): LoadableImage[] {
  const manifest = archive.documents.get("manifest.json");
  const index = archive.documents.get("index.json");
  if (manifest && !(index && hasPlatforms(index))) {
    return dockerImages(archive, manifest, index ? annotatedManifests(archive, index) : new Map(), isStored);
  }
  if (index) return ociImages(archive, index);
  throw new InvalidParameterError("invalid archive: does not contain a manifest.json");
}

function hasPlatforms(bytes: Uint8Array): boolean {
  return readIndex(bytes).manifests.some(({ mediaType }) => INDEX_TYPES.has(mediaType));
}

/** Of an archive that has both documents, the manifests that say more than manifest.json can: annotations. By their config's path. */
function annotatedManifests(archive: ImageArchive, index: Uint8Array): ReadonlyMap<string, LoadablePart["manifest"]> {
  const found = new Map<string, LoadablePart["manifest"]>();
  for (const descriptor of readIndex(index).manifests) {
    const bytes = archive.documents.get(followLinks(archive, blobPath(descriptor.digest)));
    if (!bytes || isAttestation(descriptor)) continue;
    const document = parseManifestDocument(bytes, descriptor.mediaType, "the archive");
    if (document.kind !== "manifest" || !document.manifest.annotations) continue;
    found.set(blobPath(document.manifest.config.digest), ociPart(archive, bytes, document).manifest);
  }
  return found;
}

function dockerImages(
  archive: ImageArchive,
  bytes: Uint8Array,
  manifests: ReturnType<typeof annotatedManifests>,
  isStored: (diffId: Digest) => boolean,
): LoadableImage[] {
  const entries = parseJson(bytes, "manifest.json");
  if (!Array.isArray(entries)) throw new InvalidParameterError("invalid manifest.json: expected a list");
  return entries.map((entry: { Config?: unknown; RepoTags?: unknown; Layers?: unknown } | null) => {
    const path = String(entry?.Config);
    const manifest = manifests.get(path);
    const config = documentAt(archive, path);
    const stored = parseImageConfig(config).rootfs.diff_ids.map((diffId) => (isStored(diffId) ? diffId : undefined));
    return {
      parts: [
        {
          config,
          layers: strings(entry?.Layers).map((layer, at) => layerAt(archive, layer, stored[at])),
          ...(manifest ? { manifest } : {}),
        },
      ],
      references: strings(entry?.RepoTags).map((name) => tagged(name)),
    };
  });
}

function ociImages(archive: ImageArchive, bytes: Uint8Array): LoadableImage[] {
  const images = new Map<Digest, LoadableImage>();
  for (const descriptor of readIndex(bytes).manifests) {
    const known = images.get(descriptor.digest);
    const references = [...(known?.references ?? []), ...annotatedNames(descriptor)];
    const image = known ?? ociImage(archive, descriptor);
    if (image) images.set(descriptor.digest, { ...image, references });
  }
  return [...images.values()];
}

/** What an entry of index.json stands for; undefined for one that is no image (attestations). */
function ociImage(archive: ImageArchive, descriptor: Descriptor): LoadableImage | undefined {
  if (isAttestation(descriptor)) return undefined;
  const bytes = documentAt(archive, blobPath(descriptor.digest));
  const document = parseManifestDocument(bytes, descriptor.mediaType, "the archive");
  if (document.kind === "manifest") return { parts: [ociPart(archive, bytes, document)], references: [] };
  const { manifests } = document.index;
  // An archive may hold some of the platforms only.
  const parts = manifests.flatMap((part) => {
    const inner = isAttestation(part) ? undefined : archive.documents.get(followLinks(archive, blobPath(part.digest)));
    const read = inner && parseManifestDocument(inner, part.mediaType, "the archive");
    return inner && read?.kind === "manifest" ? [ociPart(archive, inner, read)] : [];
  });
  if (parts.length === 0) return undefined;
  const index = { bytes, mediaType: document.mediaType, manifests: manifests.map(({ digest }) => digest) };
  return { parts, references: [], index };
}

function ociPart(
  archive: ImageArchive,
  bytes: Uint8Array,
  { manifest, mediaType }: Extract<ManifestDocument, { readonly kind: "manifest" }>,
): LoadablePart {
  const layers = manifest.layers.map((layer) => layerAt(archive, blobPath(layer.digest)));
  // One of uncompressed layers is from no registry: a push makes another of it, as of a build's.
  const isOurs =
    mediaType === MEDIA_TYPE.ociManifest && manifest.layers.every(({ digest }, at) => digest === layers[at]);
  return {
    config: documentAt(archive, blobPath(manifest.config.digest)),
    layers,
    manifest: { bytes, mediaType, isOurs },
  };
}

function readIndex(bytes: Uint8Array): ImageIndex {
  const document = parseManifestDocument(bytes, MEDIA_TYPE.ociIndex, "index.json");
  if (document.kind === "index") return document.index;
  throw new InvalidParameterError("invalid index.json: expected an index");
}

/** containerd's annotation has the whole name; OCI's may have it, or a tag alone, which names nothing. */
function annotatedNames({ annotations }: Descriptor): Reference[] {
  const full = annotations?.["io.containerd.image.name"];
  const ref = annotations?.["org.opencontainers.image.ref.name"];
  const name = full ?? (ref && /[:/]/.test(ref) ? ref : undefined);
  return name ? [tagged(name)] : [];
}

function tagged(name: string): Reference {
  const reference = parseReference(name);
  if (!reference.tag || reference.digest) throw new InvalidParameterError(`invalid tag "${name}"`);
  return reference;
}

function layerAt(archive: ImageArchive, path: string, stored?: Digest): Digest {
  const isInside = !path.split("/").includes("..");
  const layer = archive.layers.get(followLinks(archive, path)) ?? (isInside ? stored : undefined);
  if (layer instanceof BerthError) throw layer;
  if (!layer) throw new InvalidParameterError(`invalid archive: layer "${path}" is missing`);
  return layer;
}

function documentAt(archive: ImageArchive, path: string): Uint8Array {
  const document = archive.documents.get(followLinks(archive, path));
  if (!document) throw new InvalidParameterError(`invalid archive: "${path}" is missing`);
  return document;
}

function followLinks({ links }: ImageArchive, path: string): string {
  let at = path.replace(/^(\.?\/)+/, "");
  for (let step = 0; step < 10; step++) {
    const target = links.get(at);
    if (target === undefined) return at;
    at = target;
  }
  throw new InvalidParameterError(`invalid archive: too many links from "${path}"`);
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${digestHex(parseDigest(digest))}`;
}

function strings(value: unknown): string[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw new DataLossError("invalid manifest.json: expected a list of names");
}

function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new InvalidParameterError(`invalid ${name}: not JSON`, { cause });
  }
}
