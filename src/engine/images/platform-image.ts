import { NotFoundError } from "#errors/errors.ts";
import { choosePlatform, formatPlatform, hostPlatform } from "#formats/platform.ts";
import { familiarString, parseReference, tagNameOnly } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import { type Descriptor, MEDIA_TYPE, type Platform } from "#spec/oci-image.ts";
import type { ImageRecord } from "#store/image-record.ts";
import type { ImageContext } from "./image-context.ts";

type Images = Pick<ImageContext, "images" | "indexes">;

/**
 * The image that a name, id or id prefix stands for; with a platform, the one of the name's index that the platform runs.
 * Throws NotFoundError (`No such image: x:latest`; another text when only the platform is missing), InvalidParameterError.
 */
export function resolveImage(context: Images, nameOrId: string, platform?: Platform): ImageRecord {
  const image = context.images.resolve(nameOrId);
  if (!platform) return image;
  const chosen = chooseImage(imagesBehind(context, nameOrId, image), platform);
  if (chosen) return chosen;
  throw new NotFoundError(
    `image with reference ${shownName(nameOrId, image)} was found but does not provide the specified platform (${formatPlatform(platform)})`,
  );
}

/** All images here that a name means, one a platform, in the order of its index; of an id, the one. */
export function imagesBehind(context: Images, nameOrId: string, image: ImageRecord): readonly ImageRecord[] {
  const index = context.indexes.of(nameOrId);
  const parts = index ? context.indexes.parts(index.digest).map((part) => part.image) : [];
  return parts.length > 0 ? parts : [image];
}

/** The image of several that a machine of the platform (this one, unless told) runs best. */
export function chooseImage<T extends Pick<ImageRecord, "id" | "platform">>(
  images: readonly T[],
  platform: Platform = hostPlatform(),
): T | undefined {
  const chosen = choosePlatform(images.map(asDescriptor), platform);
  return images.find(({ id }) => id === chosen?.digest);
}

/** The image that a name of several means without a platform: this machine's, else the given one. */
export function defaultImage(images: readonly ImageRecord[], otherwise: Digest): Digest {
  return chooseImage(images)?.id ?? otherwise;
}

function asDescriptor({ id, platform }: Pick<ImageRecord, "id" | "platform">): Descriptor {
  return { mediaType: MEDIA_TYPE.ociConfig, digest: id, size: 0, platform };
}

function shownName(nameOrId: string, { id }: ImageRecord): string {
  const isId = id.startsWith(nameOrId) || id.startsWith(`sha256:${nameOrId}`);
  return isId ? nameOrId : familiarString(tagNameOnly(parseReference(nameOrId)));
}
