import { chooseImage } from "#engine/images/platform-image.ts";
import { digestHex, digestOf } from "#formats/digest.ts";
import { familiarString, parseReference } from "#formats/reference.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import type { Digest } from "#spec/digest.ts";
import { MEDIA_TYPE } from "#spec/oci-image.ts";
import type { ExportedImages } from "./exported-images.ts";

export interface ArchiveOptions {
  /** Canonical. */
  readonly names: readonly string[];
  /** Docker's own manifest.json beside the layout: `docker load` of old engines reads it. Of several platforms it has this machine's. */
  readonly forDocker: boolean;
}

/**
 * An OCI layout of a build's images as a tar, every blob once. The same images give the same bytes.
 * https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export async function* imageArchive(
  exported: ExportedImages,
  { names, forDocker }: ArchiveOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const { images, attestations, index } = exported;
  yield directory("blobs/");
  yield directory("blobs/sha256/");
  const documents = [
    ...images.flatMap(({ config, manifest }) => [config, manifest.bytes]),
    ...attestations.flatMap(({ statements, config, manifest }) => [...statements, config, manifest.bytes]),
    ...(index ? [index.bytes] : []),
  ];
  const unique = new Map(documents.map((bytes) => [digestOf(bytes), bytes]));
  for (const [digest, bytes] of unique) yield* small(blobPath(digest), bytes);
  const layers = new Map(images.flatMap((image) => image.layers).map((layer) => [layer.descriptor.digest, layer]));
  for (const { descriptor, open } of layers.values()) {
    yield file(blobPath(descriptor.digest), descriptor.size);
    for await (const chunk of open()) yield chunk;
    yield tarPadding(descriptor.size);
  }
  yield* small("index.json", layoutIndex(exported, names));
  if (forDocker) yield* small("manifest.json", dockerManifest(exported, names));
  yield* small("oci-layout", json({ imageLayoutVersion: "1.0.0" }));
  yield TAR_END;
}

function layoutIndex({ top: { descriptor } }: ExportedImages, names: readonly string[]): Uint8Array {
  const named = names.map((name) => ({
    ...descriptor,
    annotations: {
      ...descriptor.annotations,
      "io.containerd.image.name": name,
      "org.opencontainers.image.ref.name": parseReference(name).tag ?? "",
    },
  }));
  const manifests = named.length > 0 ? named : [descriptor];
  return json({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests });
}

function dockerManifest({ images }: ExportedImages, names: readonly string[]): Uint8Array {
  const image = chooseImage(images) ?? images[0];
  if (!image) return json([]);
  return json([
    {
      Config: blobPath(digestOf(image.config)),
      RepoTags: names.length > 0 ? names.map((name) => familiarString(parseReference(name))) : null,
      Layers: image.layers.map(({ descriptor }) => blobPath(descriptor.digest)),
    },
  ]);
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${digestHex(digest)}`;
}

const EPOCH = { seconds: 0, nanoseconds: 0 };

function directory(path: string): Uint8Array {
  return tarHeader({ path, type: "directory", mode: 0o755, uid: 0, gid: 0, mtime: EPOCH, size: 0 });
}

function file(path: string, size: number): Uint8Array {
  return tarHeader({ path, type: "file", mode: 0o644, uid: 0, gid: 0, mtime: EPOCH, size });
}

function* small(path: string, bytes: Uint8Array): Generator<Uint8Array, void, void> {
  yield file(path, bytes.length);
  yield bytes;
  yield tarPadding(bytes.length);
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
