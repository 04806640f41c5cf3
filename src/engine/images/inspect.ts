import type { ImageInspect } from "#spec/docker-images.ts";
import { familiar } from "./familiar.ts";
import type { ImageContext } from "./image-context.ts";
import { LocalImages } from "./lookup.ts";

/** What Go prints for a time that never was. */
const ZERO_TIME = "0001-01-01T00:00:00Z";

/**
 * The answer of `image inspect`; `storageDriver` is the snapshotter's name. Throws NotFoundError (`No such image: x:latest`),
 * DataLossError when the stored config is damaged.
 */
export function inspectImage(context: ImageContext, name: string, storageDriver = "erofs-overlay"): ImageInspect {
  const image = context.images.resolve(name);
  const config = new LocalImages(context).config(image.id);
  const { references, digests } = context.images.names(image.id);
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
    GraphDriver: { Name: storageDriver, Data: null },
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: image.lastTagged === 0 ? ZERO_TIME : new Date(image.lastTagged).toISOString() },
  };
}
