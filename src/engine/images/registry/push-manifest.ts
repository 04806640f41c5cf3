import type { ImageContext } from "#engine/images/image-context.ts";
import { parseManifestDocument } from "#engine/images/manifest-document.ts";
import { digestOf } from "#formats/digest.ts";
import { isForeign } from "#registry/foreign-layer.ts";
import type { Digest } from "#spec/digest.ts";
import { type Descriptor, type Manifest, MEDIA_TYPE } from "#spec/oci-image.ts";
import type { ImageRecord } from "#store/image-record.ts";

export interface PushableManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

export interface OriginalManifest extends PushableManifest {
  readonly manifest: Manifest;
}

/** The manifest that an image came with, or got by its first push. A damaged one counts as none: a push can make another. */
export async function readOriginalManifest(
  context: ImageContext,
  image: ImageRecord,
): Promise<OriginalManifest | undefined> {
  if (!image.manifest) return undefined;
  const { digest, mediaType } = image.manifest;
  const bytes = await context.blobs.read(digest).catch(() => undefined);
  if (!bytes) return undefined;
  const document = parseManifestDocument(bytes, mediaType, digest);
  return document.kind === "manifest" ? { bytes, mediaType, manifest: document.manifest } : undefined;
}

/**
 * The manifest to push for layers as the registry now has them (bottom first): the original, byte for byte, when it names just
 * these; of one that a build made here, an OCI manifest with its annotations; else a new one in Docker's schema 2, which every registry and
 * engine takes.
 */
export function buildManifest(
  config: Uint8Array,
  layers: readonly Descriptor[],
  original: OriginalManifest | undefined,
  isOurs: boolean,
): PushableManifest {
  const digests = (list: readonly Descriptor[]): string => list.map((layer): Digest => layer.digest).join(" ");
  if (original && digests(original.manifest.layers) === digests(layers)) return original;
  if (original && isOurs && original.mediaType === MEDIA_TYPE.ociManifest) return ociManifest(config, layers, original);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.dockerManifest,
    config: { mediaType: MEDIA_TYPE.dockerConfig, size: config.length, digest: digestOf(config) },
    layers: layers.map((layer) => {
      if (isForeign(layer)) return layer;
      return { mediaType: MEDIA_TYPE.dockerLayerGzip, size: layer.size, digest: layer.digest };
    }),
  };
  return { bytes: Buffer.from(JSON.stringify(manifest, undefined, 3)), mediaType: MEDIA_TYPE.dockerManifest };
}

function ociManifest(
  config: Uint8Array,
  layers: readonly Descriptor[],
  { manifest: { annotations } }: OriginalManifest,
): PushableManifest {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: { mediaType: MEDIA_TYPE.ociConfig, digest: digestOf(config), size: config.length },
    layers: layers.map(({ digest, size }) => ({ mediaType: MEDIA_TYPE.ociLayerGzip, digest, size })),
    ...(annotations ? { annotations } : {}),
  };
  return { bytes: Buffer.from(JSON.stringify(manifest)), mediaType: MEDIA_TYPE.ociManifest };
}
