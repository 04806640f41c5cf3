import type { ImageContext } from "#engine/images/image-context.ts";
import { MAX_CONFIG, parseImageConfig, parseManifestDocument } from "#engine/images/manifest-document.ts";
import { familiarString, parseReference, tagNameOnly } from "#formats/reference.ts";
import type { Credentials } from "#registry/credentials.ts";
import type { Descriptor, Platform } from "#spec/oci-image.ts";
import { pullFailure } from "./registry-failure.ts";

/** What a registry has under a name. */
export interface DistributionInfo {
  readonly descriptor: Descriptor;
  readonly platforms: readonly Platform[];
}

/** Looks a name up in its registry and pulls nothing. Throws as a pull does. */
export async function distributionInfo(
  context: ImageContext,
  name: string,
  options: { readonly credentials?: Credentials; readonly signal: AbortSignal },
): Promise<DistributionInfo> {
  const reference = tagNameOnly(parseReference(name));
  const repository = context.registry.repository(reference, options);
  const { signal } = options;
  const fetched = await repository
    .manifest(reference.digest ?? reference.tag ?? "latest", signal)
    .catch((error: unknown) => {
      throw pullFailure(error, reference);
    });
  const document = parseManifestDocument(fetched.bytes, fetched.mediaType, familiarString(reference));
  const descriptor = { mediaType: document.mediaType, digest: fetched.digest, size: fetched.bytes.length };
  if (document.kind === "index") {
    const platforms = document.index.manifests.flatMap(({ platform }) => (platform ? [platform] : []));
    return { descriptor, platforms };
  }
  const config = parseImageConfig(await repository.smallBlob(document.manifest.config, MAX_CONFIG, signal));
  const { architecture, os, variant } = config;
  return { descriptor, platforms: [{ architecture, os, ...(variant ? { variant } : {}) }] };
}
