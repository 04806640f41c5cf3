import { digestHex, digestOf } from "#formats/digest.ts";
import { familiarString, parseReference } from "#formats/reference.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import type { Digest } from "#spec/digest.ts";
import { type Descriptor, MEDIA_TYPE, type Platform } from "#spec/oci-image.ts";
import type { ImageForm } from "./build-output.ts";
import type { LayerBlob } from "./layer-blobs.ts";

export interface ArchivedImage {
  readonly config: Uint8Array;
  readonly platform: Platform;
  /** Bottom first. */
  readonly layers: readonly LayerBlob[];
}

/** A manifest, and how an index describes it. */
export interface ImageManifest {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

/** https://github.com/opencontainers/image-spec/blob/main/manifest.md, or Docker's schema 2. */
export function imageManifest({ config, platform, layers }: ArchivedImage, form: ImageForm): ImageManifest {
  const mediaType = form.ociTypes ? MEDIA_TYPE.ociManifest : MEDIA_TYPE.dockerManifest;
  const configType = form.ociTypes ? MEDIA_TYPE.ociConfig : MEDIA_TYPE.dockerConfig;
  const { manifest: annotations, descriptor } = form.annotations;
  const bytes = json({
    schemaVersion: 2,
    mediaType,
    config: { mediaType: configType, digest: digestOf(config), size: config.length },
    layers: layers.map((layer) => layer.descriptor),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  });
  return {
    bytes,
    descriptor: {
      mediaType,
      digest: digestOf(bytes),
      size: bytes.length,
      ...(Object.keys(descriptor).length > 0 ? { annotations: descriptor } : {}),
      platform: platformOf(platform),
    },
  };
}

function platformOf({ os, architecture, variant }: Platform): Platform {
  return { os, architecture, ...(variant ? { variant } : {}) };
}

export interface ArchiveOptions {
  /** Canonical. */
  readonly names: readonly string[];
  /** Docker's own manifest.json beside the layout: `docker load` of old engines reads it. */
  readonly forDocker: boolean;
}

/**
 * An OCI layout of one image as a tar, every blob once. The same image gives the same bytes.
 * https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export async function* imageArchive(
  image: ArchivedImage,
  manifest: ImageManifest,
  { names, forDocker }: ArchiveOptions,
): AsyncGenerator<Uint8Array, void, void> {
  yield directory("blobs/");
  yield directory("blobs/sha256/");
  yield* small(blobPath(digestOf(image.config)), image.config);
  yield* small(blobPath(manifest.descriptor.digest), manifest.bytes);
  const layers = new Map(image.layers.map((layer) => [layer.descriptor.digest, layer]));
  for (const { descriptor, open } of layers.values()) {
    yield file(blobPath(descriptor.digest), descriptor.size);
    for await (const chunk of open()) yield chunk;
    yield tarPadding(descriptor.size);
  }
  yield* small("index.json", indexOf(manifest, names));
  if (forDocker) yield* small("manifest.json", dockerManifest(image, names));
  yield* small("oci-layout", json({ imageLayoutVersion: "1.0.0" }));
  yield TAR_END;
}

function indexOf({ descriptor }: ImageManifest, names: readonly string[]): Uint8Array {
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

function dockerManifest({ config, layers }: ArchivedImage, names: readonly string[]): Uint8Array {
  return json([
    {
      Config: blobPath(digestOf(config)),
      RepoTags: names.length > 0 ? names.map((name) => familiarString(parseReference(name))) : null,
      Layers: layers.map(({ descriptor }) => blobPath(descriptor.digest)),
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
