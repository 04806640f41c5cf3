import { digestOf } from "#formats/digest.ts";
import { CACHE_CONFIG_TYPE, type CacheConfig, type CacheLayer, type CacheRecord } from "#spec/cache-config.ts";
import type { Digest } from "#spec/digest.ts";
import { type Descriptor, type Manifest, MEDIA_TYPE } from "#spec/oci-image.ts";
import type { SolvedLayer } from "../solve/solver-types.ts";
import type { CacheWriter } from "./shared-cache.ts";

/** A step that a build found or made, for those who come after. */
export interface CachedStep {
  readonly key: Digest;
  /** `[2/3] RUN make`. */
  readonly description: string;
  readonly made: SolvedLayer;
  /** The layers below it, bottom first. */
  readonly below: readonly SolvedLayer[];
}

/** What a build leaves to share. */
export interface ShareableCache {
  readonly steps: readonly CachedStep[];
  /** Digests over files of stages, by their key. */
  readonly contents: ReadonlyMap<Digest, readonly Digest[]>;
  /** The layers of the result. */
  readonly result: readonly SolvedLayer[];
}

/**
 * Writes a cache in BuildKit's format: all steps, or with mode `min` those whose layers the result has. What the writer has already is not
 * sent, nor fetched for it.
 */
export async function exportCache(cache: ShareableCache, mode: "min" | "max", writer: CacheWriter): Promise<void> {
  const chains = new LayerChains();
  const steps = mode === "max" ? cache.steps : cache.steps.filter(({ made }) => cache.result.includes(made));
  const records: CacheRecord[] = steps.map((step) => recordOf(step, chains.add([...step.below, step.made])));
  if (mode === "max") {
    for (const [digest, content] of cache.contents) records.push({ digest, berth: { content } });
  }
  const blobs = new Map<Digest, Descriptor>();
  for (const solved of chains.layers()) blobs.set(solved.layer.diffId, await placeLayer(solved, writer));
  const config: CacheConfig = { layers: chains.describe(blobs), records };
  await writeManifest(config, [...blobs.values()], writer);
}

/** The records of an image's own steps, to be put into its config. Layers count as in the image. */
export function inlineRecords({ steps, result }: ShareableCache): readonly CacheRecord[] {
  return steps.flatMap((step) => {
    const index = result.indexOf(step.made);
    return index < 0 ? [] : [recordOf(step, index)];
  });
}

function recordOf({ key, description, made }: CachedStep, layer: number): CacheRecord {
  const { contentId, created } = made;
  const createdAt = created === undefined ? {} : { createdAt: new Date(created).toISOString() };
  return {
    digest: key,
    layers: [{ layer, ...createdAt }],
    berth: { description, ...(contentId === made.layer.diffId ? {} : { contentId }) },
  };
}

/** What the location has is neither sent nor fetched. */
async function placeLayer({ layer, remote }: SolvedLayer, writer: CacheWriter): Promise<Descriptor> {
  if (remote && (await writer.has(remote.blob))) return remote.blob;
  return await writer.add(remote ? await remote.fetch() : layer);
}

async function writeManifest(config: CacheConfig, blobs: readonly Descriptor[], writer: CacheWriter): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(config));
  const digest = digestOf(bytes);
  await writer.document(bytes, digest);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: { mediaType: CACHE_CONFIG_TYPE, digest, size: bytes.length },
    layers: blobs,
  };
  await writer.finish(Buffer.from(JSON.stringify(manifest)), MEDIA_TYPE.ociManifest);
}

/** Layers as BuildKit lists them: each with the one below it; the same layer on another one is another entry. */
class LayerChains {
  readonly #entries: { readonly solved: SolvedLayer; readonly parent: number }[] = [];
  readonly #indexes = new Map<string, number>();

  /** The index of the topmost. */
  add(chain: readonly SolvedLayer[]): number {
    let parent = -1;
    for (const solved of chain) {
      const identity = `${parent} ${solved.layer.diffId}`;
      let index = this.#indexes.get(identity);
      if (index === undefined) {
        index = this.#entries.push({ solved, parent }) - 1;
        this.#indexes.set(identity, index);
      }
      parent = index;
    }
    return parent;
  }

  /** Each layer once. */
  layers(): readonly SolvedLayer[] {
    return [...new Map(this.#entries.map(({ solved }) => [solved.layer.diffId, solved])).values()];
  }

  describe(blobs: ReadonlyMap<Digest, Descriptor>): CacheLayer[] {
    return this.#entries.flatMap(({ solved: { layer, created }, parent }) => {
      const blob = blobs.get(layer.diffId);
      if (!blob) return [];
      const { mediaType, size, digest } = blob;
      const createdAt = created === undefined ? {} : { createdAt: new Date(created).toISOString() };
      return [{ blob: digest, parent, annotations: { mediaType, diffID: layer.diffId, size, ...createdAt } }];
    });
  }
}
