import { DataLossError, errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { isDigest } from "#formats/digest.ts";
import { CACHE_CONFIG_TYPE, type CacheConfig, type CacheRecord, INLINE_CACHE_KEY } from "#spec/cache-config.ts";
import type { Digest } from "#spec/digest.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { Layer } from "#store/layer-store.ts";
import type { CacheReader, RemoteLayer } from "./shared-cache.ts";

/** A record says at least its digest; more records are no cache. */
const MAX_RECORDS = 100_000;
const DIFF_ID_ANNOTATION = "containerd.io/uncompressed";

/** A step's outcome in a shared cache. */
export interface ImportedStep {
  readonly diffId: Digest;
  readonly contentId: Digest;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly remote: RemoteLayer;
}

/** A shared cache, read: steps by key. Layers are fetched when something needs their files. */
export class ImportedCache {
  readonly #steps: ReadonlyMap<string, ImportedStep>;
  readonly #contents: ReadonlyMap<string, readonly Digest[]>;

  private constructor(steps: ReadonlyMap<string, ImportedStep>, contents: ReadonlyMap<string, readonly Digest[]>) {
    this.#steps = steps;
    this.#contents = contents;
  }

  /**
   * Reads a cache of BuildKit's format, an image manifest or (older) an index, or the cache within an image's config. Records that are
   * not Berth's are kept and match nothing but equal digests. Throws DataLossError when it is malformed, NotFoundError.
   */
  static async read(reader: CacheReader, signal: AbortSignal): Promise<ImportedCache> {
    const steps = new Map<string, ImportedStep>();
    const contents = new Map<string, readonly Digest[]>();
    for (const { config, layers } of await readDocuments(reader)) {
      for (const record of (config.records ?? []).slice(0, MAX_RECORDS)) {
        if (record.digest === undefined) continue;
        if (record.berth?.content) contents.set(record.digest, record.berth.content.filter(isDigest));
        const step = stepOf(record, config, layers, (diffId, blob) => reader.layer(diffId, blob, signal));
        if (step) steps.set(record.digest, step);
      }
    }
    return new ImportedCache(steps, contents);
  }

  find(key: Digest): ImportedStep | undefined {
    return this.#steps.get(key);
  }

  findContent(key: Digest): readonly Digest[] | undefined {
    return this.#contents.get(key);
  }
}

interface Documents {
  readonly config: CacheConfig;
  /** Blobs by digest. */
  readonly layers: ReadonlyMap<string, Descriptor>;
}

interface Manifest {
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
}

/** Of an image of several platforms, each one's. */
async function readDocuments(reader: CacheReader): Promise<readonly Documents[]> {
  const manifest = parse<Manifest>((await reader.manifest()).bytes);
  const entries = manifest.manifests ?? [];
  const listed = entries.find(({ mediaType }) => mediaType === CACHE_CONFIG_TYPE);
  if (listed) return [{ config: parse(await reader.document(listed)), layers: byDigest(entries) }];
  if (manifest.config || entries.length === 0) return [await readManifest(reader, manifest)];
  const found: Documents[] = [];
  for (const { digest, platform } of entries) {
    // Attestations lie beside images.
    if (platform?.os === "unknown") continue;
    found.push(await readManifest(reader, parse((await reader.manifest(digest)).bytes)));
  }
  return found;
}

async function readManifest(reader: CacheReader, { config, layers = [] }: Manifest): Promise<Documents> {
  if (!config) throw new DataLossError("cache manifest is malformed: it has no config");
  const document = await reader.document(config);
  if (config.mediaType === CACHE_CONFIG_TYPE) return { config: parse(document), layers: byDigest(layers) };
  return { config: inlineConfig(document, layers), layers: byDigest(layers) };
}

/** The records in an image's config; its layers are the image's own. */
function inlineConfig(document: Uint8Array, layers: readonly Descriptor[]): CacheConfig {
  const image = parse<
    Readonly<Record<string, unknown>> & { readonly rootfs?: { readonly diff_ids?: readonly Digest[] } }
  >(document);
  const inline = image[INLINE_CACHE_KEY];
  if (typeof inline !== "string") throw new InvalidParameterError("the image has no build cache with it");
  const records = parse<readonly CacheRecord[]>(Buffer.from(inline, "base64"));
  const diffIds = image.rootfs?.diff_ids ?? [];
  return {
    records,
    layers: layers.map((blob, index) => {
      const diffID = diffIds[index];
      return { blob: blob.digest, parent: index - 1, annotations: diffID ? { diffID } : {} };
    }),
  };
}

function stepOf(
  record: CacheRecord,
  config: CacheConfig,
  blobs: ReadonlyMap<string, Descriptor>,
  fetch: (diffId: Digest, blob: Descriptor) => Promise<Layer>,
): ImportedStep | undefined {
  const result = record.layers?.[0];
  const chain = record.chains?.[0];
  const layer = config.layers?.[result?.layer ?? chain?.layers.at(-1) ?? -1];
  const blob = layer?.blob === undefined ? undefined : blobs.get(layer.blob);
  const diffId = layer?.annotations?.diffID ?? (blob?.annotations?.[DIFF_ID_ANNOTATION] as Digest | undefined);
  if (!blob || diffId === undefined || !isDigest(diffId)) return undefined;
  const created = Date.parse(result?.createdAt ?? chain?.createdAt ?? "");
  let fetched: Promise<Layer> | undefined;
  return {
    diffId,
    contentId: record.berth?.contentId ?? diffId,
    created: Number.isNaN(created) ? 0 : created,
    remote: {
      blob,
      fetch: () => {
        fetched ??= fetch(diffId, blob);
        return fetched;
      },
    },
  };
}

function byDigest(descriptors: readonly Descriptor[]): ReadonlyMap<string, Descriptor> {
  return new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor]));
}

function parse<T>(bytes: Uint8Array): T {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof value !== "object" || value === null) throw new DataLossError("expected an object");
    return value as T;
  } catch (cause) {
    throw new DataLossError(`build cache is malformed: ${errorMessage(cause)}`, { cause });
  }
}
