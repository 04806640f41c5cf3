/** A manifest as `docker manifest` keeps and prints it. https://github.com/docker/cli/blob/v28.2.2/cli/manifest/types/types.go */

import { isNotFound } from "#client/engine-error.ts";
import { type DocumentAccess, fetchBlob, fetchDocument } from "#client/registry-documents.ts";
import { DataLossError, errorMessage, NotFoundError } from "#errors/errors.ts";
import { parseDigest } from "#formats/digest.ts";
import { familiarString, formatReference, parseReference, type Reference, tagNameOnly } from "#formats/reference.ts";
import { type Decoder, integer, list, object, text, textList, textMap } from "#lib/json-decoder.ts";
import type { RegistryDocument } from "#spec/berth-api.ts";
import { type Descriptor, MEDIA_TYPE } from "#spec/oci-image.ts";
import { registryAuthHeader } from "../config/registry-auth.ts";
import type { CommandContext } from "../grammar/command.ts";

/** In the order in which Go writes it. */
export interface ListedPlatform {
  readonly architecture: string;
  readonly os: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
  readonly variant?: string;
}

export interface ListedManifest {
  readonly Ref: string;
  readonly Descriptor: {
    readonly mediaType: string;
    readonly digest: Descriptor["digest"];
    readonly size: number;
    readonly platform?: ListedPlatform;
  };
  /** The document, base64. */
  readonly Raw: string;
  readonly SchemaV2Manifest?: unknown;
  readonly OCIManifest?: unknown;
}

/** A digest as it comes from outside. */
export const digestText: Decoder<Descriptor["digest"]> = (value, path) => parseDigest(text(value, path));

/** A descriptor as it comes from outside. */
export const decodeDescriptor: Decoder<Descriptor> = object<Descriptor>(
  {
    mediaType: text,
    digest: digestText,
    size: integer,
    urls: textList,
    annotations: textMap,
    platform: object<NonNullable<Descriptor["platform"]>>(
      { os: text, architecture: text, variant: text, "os.version": text, "os.features": textList },
      { os: "", architecture: "" },
    ),
  },
  { mediaType: "", digest: "sha256:", size: 0 },
);

/** What both kinds of documents have, as far as it matters here. */
export interface RemoteDocument {
  readonly mediaType: string;
  readonly config?: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

const decodeDocument = object<RemoteDocument>(
  {
    mediaType: text,
    config: decodeDescriptor,
    layers: list(decodeDescriptor),
    manifests: list(decodeDescriptor),
    annotations: textMap,
  },
  { mediaType: "", layers: [], manifests: [] },
);

const decodeConfig = object<NonNullable<Descriptor["platform"]>>(
  { os: text, architecture: text, variant: text, "os.version": text, "os.features": textList },
  { os: "", architecture: "" },
);

/** Reads a document of a registry. Throws DataLossError. */
export function readDocument({ raw, descriptor: { digest } }: RegistryDocument): RemoteDocument {
  return decodeDocument(parseJson(Buffer.from(raw, "base64"), digest), "");
}

/** Whether it names manifests instead of layers. */
export function isIndex({ mediaType }: Descriptor): boolean {
  return mediaType === MEDIA_TYPE.ociIndex || mediaType === MEDIA_TYPE.dockerIndex;
}

/** Asks a registry for a document. Throws NotFoundError in Docker's words. */
export async function askRegistry(
  context: CommandContext,
  reference: Reference,
  insecure: boolean,
): Promise<{ readonly document: RegistryDocument; readonly access: DocumentAccess }> {
  const access = { auth: await registryAuthHeader(reference.domain, context), insecure };
  try {
    return { document: await fetchDocument(context.engine, formatReference(reference), access), access };
  } catch (cause) {
    if (!isNotFound(cause)) throw cause;
    throw new NotFoundError(`no such manifest: ${familiarString(reference)}`, { cause });
  }
}

/** The manifests that a name stands for in its registry: one, or those of its index. */
export async function fetchManifests(
  context: CommandContext,
  name: string,
  insecure: boolean,
): Promise<{ readonly isList: boolean; readonly manifests: readonly ListedManifest[] }> {
  const reference = tagNameOnly(parseReference(name));
  const { document, access } = await askRegistry(context, reference, insecure);
  if (!isIndex(document.descriptor)) {
    return { isList: false, manifests: [await listed(context, reference, document, access)] };
  }
  const manifests: ListedManifest[] = [];
  for (const { digest, platform } of readDocument(document).manifests) {
    const named = { ...reference, digest };
    const inner = await askRegistry(context, named, insecure);
    const found = {
      ...inner.document,
      descriptor: { ...inner.document.descriptor, ...(platform ? { platform } : {}) },
    };
    manifests.push(await listed(context, named, found, access));
  }
  return { isList: true, manifests };
}

async function listed(
  context: CommandContext,
  reference: Reference,
  document: RegistryDocument,
  access: DocumentAccess,
): Promise<ListedManifest> {
  const { mediaType, digest, size } = document.descriptor;
  const platform = document.descriptor.platform ?? (await platformOfManifest(context, reference, document, access));
  const parsed = parseJson(Buffer.from(document.raw, "base64"), digest);
  return {
    Ref: familiarString(reference),
    Descriptor: { mediaType, digest, size, ...(platform ? { platform: ordered(platform) } : {}) },
    Raw: document.raw,
    ...(mediaType === MEDIA_TYPE.ociManifest ? { OCIManifest: parsed } : { SchemaV2Manifest: parsed }),
  };
}

/** The platform that a manifest's config names; undefined for one without config. */
export async function platformOfManifest(
  context: CommandContext,
  reference: Reference,
  document: RegistryDocument,
  access: DocumentAccess,
): Promise<Descriptor["platform"]> {
  const { config } = readDocument(document);
  if (!config) return undefined;
  const bytes = await fetchBlob(context.engine, formatReference(reference), config, access);
  return decodeConfig(parseJson(bytes, config.digest), "");
}

function ordered({ architecture, os, variant, ...rest }: NonNullable<Descriptor["platform"]>): ListedPlatform {
  const version = rest["os.version"];
  return { architecture, os, ...(version ? { "os.version": version } : {}), ...(variant ? { variant } : {}) };
}

function parseJson(bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new DataLossError(`${name} is no JSON document: ${errorMessage(cause)}`, { cause });
  }
}
