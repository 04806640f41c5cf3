import type { ImageInspect } from "#spec/docker-images.ts";
import type { Platform } from "#spec/oci-image.ts";
import { familiar } from "./familiar.ts";
import type { ImageContext } from "./image-context.ts";
import { LocalImages } from "./lookup.ts";
import { imageDescriptor, indexOfImage, manifestSummaries } from "./manifest-summaries.ts";
import { resolveImage } from "./platform-image.ts";

/** What Go prints for a time that never was. */
const ZERO_TIME = "0001-01-01T00:00:00Z";

export interface InspectImageOptions {
  /** Of a name's platforms, this one. */
  readonly platform?: Platform;
  /** Say which manifests the image has, here or in its registry. */
  readonly manifests?: boolean;
  /** The snapshotter's name. */
  readonly storageDriver?: string;
}

/** The answer of `image inspect`. Throws NotFoundError (`No such image: x:latest`), DataLossError when the stored config is damaged. */
export function inspectImage(context: ImageContext, name: string, options: InspectImageOptions = {}): ImageInspect {
  const image = resolveImage(context, name, options.platform);
  const config = new LocalImages(context).config(image.id);
  const own = context.images.names(image.id);
  const isVariant = own.references.length + own.digests.length === 0;
  const { references, digests } = isVariant ? context.indexes.names(image.id) : own;
  const index = options.platform ? undefined : indexOfImage(context, references, image.id);
  const descriptor = imageDescriptor(image, index);
  return {
    Id: image.id,
    RepoTags: references.map(familiar),
    RepoDigests: digests.map(familiar),
    Parent: image.parent ?? "",
    Comment: config.history?.at(-1)?.comment ?? "",
    Created: config.created ?? ZERO_TIME,
    DockerVersion: "",
    Author: config.author ?? "",
    Config: config.config ?? null,
    Architecture: config.architecture,
    ...(config.variant ? { Variant: config.variant } : {}),
    Os: config.os,
    Size: image.size,
    GraphDriver: { Name: options.storageDriver ?? "erofs-overlay", Data: null },
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: image.lastTagged === 0 ? ZERO_TIME : new Date(image.lastTagged).toISOString() },
    ...(descriptor ? { Descriptor: descriptor } : {}),
    ...(options.manifests ? { Manifests: manifestSummaries(context, image, index) } : {}),
  };
}
