import { type Descriptor, MEDIA_TYPE } from "#spec/oci-image.ts";

/**
 * Whether a layer may not be distributed: registries need not have it, its descriptor says where it is to be had, and a push leaves it out.
 * https://github.com/opencontainers/image-spec/blob/main/layer.md#non-distributable-layers
 */
export function isForeign({ mediaType, urls }: Descriptor): boolean {
  if (!urls || urls.length === 0) return false;
  return mediaType === MEDIA_TYPE.dockerForeignLayer || mediaType.startsWith(NON_DISTRIBUTABLE);
}

const NON_DISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar";

/** Where a foreign layer is to be had, as far as it is safe to ask there: https, and http where the registry itself is spoken to so. */
export function foreignUrls({ urls = [] }: Descriptor, origin: string): readonly URL[] {
  return urls.flatMap((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && origin.startsWith("http:"));
    return url && isSafe ? [url] : [];
  });
}
