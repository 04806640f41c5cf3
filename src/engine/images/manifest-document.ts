import { DataLossError, errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { isDigest } from "#formats/digest.ts";
import { hostPlatform } from "#formats/platform.ts";
import { type Descriptor, type ImageConfig, type ImageIndex, type Manifest, MEDIA_TYPE } from "#spec/oci-image.ts";
import { decodeImageConfig } from "./image-config.ts";

export type ManifestDocument =
  | { readonly kind: "index"; readonly index: ImageIndex; readonly mediaType: string }
  | { readonly kind: "manifest"; readonly manifest: Manifest; readonly mediaType: string };

/** More layers than any image has; overlayfs takes fewer. */
const MAX_LAYERS = 1024;
/** Configs longer than this are refused, bytes. */
export const MAX_CONFIG: number = 8 * 1024 * 1024;
/** Media types of indexes, of both families. */
export const INDEX_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPE.ociIndex, MEDIA_TYPE.dockerIndex]);
const CONFIG_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPE.ociConfig, MEDIA_TYPE.dockerConfig]);

/**
 * Reads a manifest or an index of either family. The document's own `mediaType` counts, then `headerType`, then its shape.
 * Throws InvalidParameterError for schema 1 and for things that are no images, DataLossError when it is malformed.
 */
export function parseManifestDocument(bytes: Uint8Array, headerType: string, name: string): ManifestDocument {
  const document = parseObject(bytes, "manifest");
  if (document["schemaVersion"] === 1) throw schemaOneError(name);
  const ownType = document["mediaType"];
  const mediaType = typeof ownType === "string" && ownType !== "" ? ownType : headerType;
  if (INDEX_TYPES.has(mediaType) || (Array.isArray(document["manifests"]) && !document["config"])) {
    const manifests = readDescriptors(document["manifests"], "manifests");
    const type = INDEX_TYPES.has(mediaType) ? mediaType : MEDIA_TYPE.ociIndex;
    const index = { schemaVersion: 2, manifests, ...readAnnotations(document) } as const;
    return { kind: "index", index, mediaType: type };
  }
  const config = readDescriptor(document["config"], "config");
  if (!CONFIG_TYPES.has(config.mediaType)) {
    throw new InvalidParameterError(`Encountered remote "${config.mediaType.slice(0, 200)}"(unknown) when fetching`);
  }
  const layers = readDescriptors(document["layers"] ?? [], "layers");
  const fallback = config.mediaType === MEDIA_TYPE.ociConfig ? MEDIA_TYPE.ociManifest : MEDIA_TYPE.dockerManifest;
  const isKnown = mediaType === MEDIA_TYPE.ociManifest || mediaType === MEDIA_TYPE.dockerManifest;
  return {
    kind: "manifest",
    manifest: { schemaVersion: 2, config, layers, ...readAnnotations(document) },
    mediaType: isKnown ? mediaType : fallback,
  };
}

/**
 * What a manifest or index names, whatever it is: artefacts too, for copying them. Throws DataLossError when it is malformed.
 */
export function listReferences(bytes: Uint8Array): {
  readonly manifests: readonly Descriptor[];
  readonly blobs: readonly Descriptor[];
} {
  const document = parseObject(bytes, "manifest");
  const config = document["config"] === undefined ? [] : [readDescriptor(document["config"], "config")];
  return {
    manifests: readDescriptors(document["manifests"] ?? [], "manifests"),
    blobs: [...config, ...readDescriptors(document["layers"] ?? [], "layers")],
  };
}

/** Whether an entry of an index is no image: what BuildKit says of one. https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md */
export function isAttestation({ platform }: Descriptor): boolean {
  return platform?.os === "unknown";
}

/** Reads an image config as far as Berth relies on it. Throws DataLossError when it is malformed. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const config = decodeConfig(parseObject(bytes, "image config"));
  if (config.rootfs.diff_ids.length > MAX_LAYERS)
    throw new DataLossError(`image config is malformed: it has more than ${MAX_LAYERS} layers`);
  // Images of old and hand-made ones that say nothing are for the machine that has them, as in Docker.
  const host = hostPlatform();
  return { ...config, os: config.os || host.os, architecture: config.architecture || host.architecture };
}

function decodeConfig(document: Record<string, unknown>): ImageConfig {
  try {
    return decodeImageConfig(document, "");
  } catch (cause) {
    throw new DataLossError(`image config is malformed: ${errorMessage(cause)}`, { cause });
  }
}

function parseObject(bytes: Uint8Array, what: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch (cause) {
    throw new DataLossError(`${what} is malformed: not JSON`, { cause });
  }
  throw new DataLossError(`${what} is malformed: not a JSON object`);
}

function readDescriptors(value: unknown, field: string): Descriptor[] {
  if (!Array.isArray(value) || value.length > MAX_LAYERS) {
    throw new DataLossError(`manifest is malformed: ${field} must be a list of at most ${MAX_LAYERS} descriptors`);
  }
  return value.map((item) => readDescriptor(item, field));
}

function readDescriptor(value: unknown, field: string): Descriptor {
  const descriptor = value as Partial<Descriptor> | null | undefined;
  const { mediaType, digest, size, annotations, platform } = descriptor ?? {};
  const isSound =
    typeof mediaType === "string" && isDigest(String(digest)) && Number.isSafeInteger(size) && Number(size) >= 0;
  if (!isSound) throw new DataLossError(`manifest is malformed: a descriptor in ${field} lacks type, digest or size`);
  if (!isTextMap(annotations) || !isPlatform(platform))
    throw new DataLossError(
      `manifest is malformed: a descriptor in ${field} has annotations or a platform that are none`,
    );
  return descriptor as Descriptor;
}

function readAnnotations({ annotations }: Record<string, unknown>): Pick<Manifest, "annotations"> {
  if (!isTextMap(annotations)) throw new DataLossError("manifest is malformed: it has annotations that are none");
  return annotations ? { annotations: annotations as NonNullable<Manifest["annotations"]> } : {};
}

function isTextMap(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === "object" && Object.values(value).every((text) => typeof text === "string");
}

function isPlatform(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== "object") return false;
  const { os, architecture, variant } = value as Record<string, unknown>;
  return [os, architecture, variant ?? ""].every((text) => typeof text === "string");
}

function schemaOneError(name: string): InvalidParameterError {
  return new InvalidParameterError(
    "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. " +
      `Suggest the author of ${name} to upgrade the image to the OCI Format or Docker Image manifest v2, schema 2. ` +
      "More information at https://docs.docker.com/go/deprecated-image-specs/",
  );
}
