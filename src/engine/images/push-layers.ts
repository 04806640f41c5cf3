import { NotFoundError } from "#errors/errors.ts";
import { Digester, digestHex } from "#formats/digest.ts";
import { type Reference, repositoryName } from "#formats/reference.ts";
import { mapParallel } from "#lib/map-parallel.ts";
import type { RepositoryWriter } from "#registry/repository-writer.ts";
import type { Digest } from "#spec/digest.ts";
import { type Descriptor, type Manifest, MEDIA_TYPE } from "#spec/oci-image.ts";
import { gzipStream } from "#store/blob-gzip.ts";
import type { ImageRecord } from "#store/image-record.ts";
import type { Layer } from "#store/layer-store.ts";
import type { ImageContext } from "./image-context.ts";
import { LayerProgress } from "./layer-progress.ts";
import type { ProgressListener } from "./progress.ts";

/** Layers in flight per push, unless the context says otherwise; Docker's number. */
const DEFAULT_CONCURRENCY = 5;
/** Repositories to ask for a mount: each needs a scope in the token. */
const MAX_MOUNT_SOURCES = 5;
const GZIP_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPE.dockerLayerGzip, MEDIA_TYPE.ociLayerGzip]);

export interface LayersToPush {
  readonly image: ImageRecord;
  readonly original: Manifest | undefined;
  /** The registry's domain, for mounts. */
  readonly domain: string;
  /** Paths of other repositories of this registry. */
  readonly mountFrom: readonly string[];
  readonly report: ProgressListener;
  readonly signal?: AbortSignal;
}

interface Task {
  readonly layer: Layer;
  readonly progress: LayerProgress;
}

/**
 * Makes the registry have every layer of an image, in parallel: what it has or can mount stays as it is, the rest is compressed
 * on the way. Resolves with the layers' descriptors there, bottom first.
 */
export async function pushLayers(
  context: ImageContext,
  writer: RepositoryWriter,
  work: LayersToPush,
): Promise<Descriptor[]> {
  const diffIds = context.images.layers(work.image.id).map((layer) => layer.diffId);
  const kept = await keepOriginal(context, writer, diffIds, work);
  if (kept) return kept;
  const tasks = [...new Set(diffIds)].map((diffId) => planTask(context, diffId, work));
  const limit = context.maxConcurrentUploads ?? DEFAULT_CONCURRENCY;
  for (const { progress } of tasks) progress.say("Preparing");
  for (const { progress } of tasks.slice(limit)) progress.say("Waiting");
  const pushed = await mapParallel(
    tasks,
    limit,
    async (task, signal) => [task.layer.diffId, await pushLayer(context, writer, task, work, signal)] as const,
    work.signal,
  );
  const byDiffId = new Map<Digest, Descriptor>(pushed);
  return diffIds.flatMap((diffId) => byDiffId.get(diffId) ?? []);
}

/** Repositories of the same registry that are known to have layers of these images. */
export function mountSources(context: ImageContext, target: Reference, images: readonly Digest[]): string[] {
  const prefix = `${target.domain}/`;
  const rows = images.flatMap((id) =>
    context.database
      .statement(
        `SELECT DISTINCT s.repository FROM image_layers i JOIN layer_blobs b USING (diff_id) JOIN blob_sources s USING (digest)
         WHERE i.image_id = ?`,
      )
      .all(id),
  );
  const repositories = new Set(rows.map((row) => String(row["repository"])));
  repositories.delete(repositoryName(target));
  return [...repositories]
    .filter((repository) => repository.startsWith(prefix))
    .map((repository) => repository.slice(prefix.length))
    .slice(0, MAX_MOUNT_SOURCES);
}

/** All or nothing: with all blobs of the original manifest there, the image keeps its digest. */
async function keepOriginal(
  context: ImageContext,
  writer: RepositoryWriter,
  diffIds: readonly Digest[],
  work: LayersToPush,
): Promise<Descriptor[] | undefined> {
  const blobs = work.original?.layers ?? [];
  if (blobs.length === 0 || blobs.length !== diffIds.length) return undefined;
  const unique = [...new Map(blobs.map((blob, index) => [blob.digest, { blob, diffId: diffIds[index] }])).values()];
  const limit = context.maxConcurrentUploads ?? DEFAULT_CONCURRENCY;
  const outcomes = await mapParallel(
    unique,
    limit,
    async ({ blob, diffId }, signal) => ({
      blob,
      diffId,
      outcome: await findRemote(writer, blob.digest, work, signal),
    }),
    work.signal,
  );
  if (outcomes.some(({ outcome }) => outcome === undefined)) return undefined;
  for (const { blob, diffId, outcome } of outcomes) {
    if (!diffId) continue;
    rememberBlob(context, writer, work, diffId, blob);
    new LayerProgress(work.report, label(diffId), blob.size).say(outcome ?? "");
  }
  return [...blobs];
}

function planTask(context: ImageContext, diffId: Digest, { report }: LayersToPush): Task {
  const layer = context.layers.layer(diffId);
  if (!layer) throw new NotFoundError(`layer ${diffId}: not found`);
  return { layer, progress: new LayerProgress(report, label(diffId), layer.size) };
}

async function pushLayer(
  context: ImageContext,
  writer: RepositoryWriter,
  { layer, progress }: Task,
  work: LayersToPush,
  signal: AbortSignal,
): Promise<Descriptor> {
  for (const blob of context.layers.blobsOf(layer.diffId).filter(({ mediaType }) => GZIP_TYPES.has(mediaType))) {
    const outcome = await findRemote(writer, blob.digest, work, signal);
    if (!outcome) continue;
    progress.say(outcome);
    rememberBlob(context, writer, work, layer.diffId, blob);
    return blob;
  }
  const source = new CompressedLayer(context, layer, progress, signal);
  await writer.uploadBlob(source, signal);
  progress.say("Pushed");
  const blob = { mediaType: MEDIA_TYPE.dockerLayerGzip, digest: source.digest(), size: source.size };
  rememberBlob(context, writer, work, layer.diffId, blob);
  return blob;
}

/** What to say of a blob that the registry has in this repository, or took over from another one; undefined when it must be sent. */
async function findRemote(
  writer: RepositoryWriter,
  digest: Digest,
  { mountFrom }: LayersToPush,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (await writer.hasBlob(digest, signal)) return "Layer already exists";
  for (const from of mountFrom) {
    if (await writer.mountBlob(digest, from, signal)) return `Mounted from ${from}`;
  }
  return undefined;
}

function rememberBlob(
  context: ImageContext,
  writer: RepositoryWriter,
  { domain }: LayersToPush,
  diffId: Digest,
  blob: Descriptor,
): void {
  context.database.transaction(() => {
    context.layers.addBlob(diffId, { digest: blob.digest, size: blob.size, mediaType: blob.mediaType });
    context.database
      .statement("INSERT OR IGNORE INTO blob_sources (digest, repository) VALUES (?, ?)")
      .run(blob.digest, `${domain}/${writer.path}`);
  });
}

/** A layer's tar, compressed as it is sent; a fresh stream for each attempt. */
class CompressedLayer {
  readonly #context: ImageContext;
  readonly #layer: Layer;
  readonly #progress: LayerProgress;
  readonly #signal: AbortSignal;
  #digester: Digester = new Digester();
  #digest: Digest | undefined;

  constructor(context: ImageContext, layer: Layer, progress: LayerProgress, signal: AbortSignal) {
    this.#context = context;
    this.#layer = layer;
    this.#progress = progress;
    this.#signal = signal;
  }

  /** Compressed bytes sent by the last attempt. */
  get size(): number {
    return this.#digester.size;
  }

  digest(): Digest {
    this.#digest ??= this.#digester.digest();
    return this.#digest;
  }

  async *open(): AsyncGenerator<Uint8Array, void, undefined> {
    this.#digester = new Digester();
    this.#digest = undefined;
    for await (const chunk of gzipStream(this.#tar(), this.#signal)) {
      this.#digester.update(chunk);
      yield chunk;
    }
  }

  async *#tar(): AsyncGenerator<Uint8Array, void, undefined> {
    let read = 0;
    for await (const chunk of this.#context.layers.readTar(this.#layer)) {
      read += chunk.length;
      this.#progress.move("Pushing", read);
      yield chunk;
    }
  }
}

/** What Docker shows of a layer while pushing: 12 digits of its diffID. */
function label(diffId: Digest): string {
  return digestHex(diffId).slice(0, 12);
}
