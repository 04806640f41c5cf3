import type { ImageAnnotation } from "#build/builder.ts";
import { digestOf } from "#formats/digest.ts";
import { formatPlatform, normalizePlatform } from "#formats/platform.ts";
import { type Descriptor, MEDIA_TYPE, type Platform } from "#spec/oci-image.ts";

/** A document that a registry keeps, and how an index describes it. */
export interface DescribedDocument {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

export interface ManifestParts {
  readonly config: Uint8Array;
  readonly platform: Platform;
  /** Bottom first. */
  readonly layers: readonly Descriptor[];
}

export interface ManifestForm {
  /** OCI's media types, else Docker's. */
  readonly ociTypes: boolean;
  readonly annotations: readonly ImageAnnotation[];
}

/** https://github.com/opencontainers/image-spec/blob/main/manifest.md, or Docker's schema 2. */
export function imageManifest({ config, platform, layers }: ManifestParts, form: ManifestForm): DescribedDocument {
  const mediaType = form.ociTypes ? MEDIA_TYPE.ociManifest : MEDIA_TYPE.dockerManifest;
  const configType = form.ociTypes ? MEDIA_TYPE.ociConfig : MEDIA_TYPE.dockerConfig;
  const document = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: configType, digest: digestOf(config), size: config.length },
    layers,
    ...annotationsFor("manifest", form.annotations, platform),
  };
  const descriptor = annotationsFor("manifest-descriptor", form.annotations, platform);
  return described(document, mediaType, { ...descriptor, platform: platformOf(platform) });
}

/** https://github.com/opencontainers/image-spec/blob/main/image-index.md, or Docker's manifest list. */
export function imageIndex(manifests: readonly Descriptor[], form: ManifestForm): DescribedDocument {
  const mediaType = form.ociTypes ? MEDIA_TYPE.ociIndex : MEDIA_TYPE.dockerIndex;
  const document = { schemaVersion: 2, mediaType, manifests, ...annotationsFor("index", form.annotations) };
  return described(document, mediaType, annotationsFor("index-descriptor", form.annotations));
}

/** The annotations that belong there, by sorted keys; a platform's own beat those for all. Nothing where there are none. */
export function annotationsFor(
  place: ImageAnnotation["place"],
  annotations: readonly ImageAnnotation[],
  platform?: Platform,
): { readonly annotations?: Readonly<Record<string, string>> } {
  const name = platform && formatPlatform(normalizePlatform(platform));
  const here = annotations.filter((annotation) => annotation.place === place);
  const general = here.filter((annotation) => annotation.platform === undefined);
  const own = here.filter((annotation) => annotation.platform !== undefined && annotation.platform === name);
  const all = [...general, ...own].map(({ key, value }) => [key, value] as const);
  if (all.length === 0) return {};
  return { annotations: Object.fromEntries([...new Map(all)].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function described(
  document: object,
  mediaType: string,
  more: Pick<Descriptor, "annotations" | "platform">,
): DescribedDocument {
  const bytes = Buffer.from(JSON.stringify(document));
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length, ...more } };
}

function platformOf({ os, architecture, variant, "os.version": version }: Platform): Platform {
  return { os, architecture, ...(version ? { "os.version": version } : {}), ...(variant ? { variant } : {}) };
}
