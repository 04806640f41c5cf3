import type { ImageContext } from "#engine/images/image-context.ts";
import { LayerProgress } from "#engine/images/layer-progress.ts";
import { NotFoundError } from "#errors/errors.ts";
import { Digester, digestHex } from "#formats/digest.ts";
import { type Reference, repositoryName } from "#formats/reference.ts";
import { mapParallel } from "#lib/map-parallel.ts";
import { isForeign } from "#registry/foreign-layer.ts";
import type { Digest } from "#spec/digest.ts";
import { type Descriptor, type Manifest, MEDIA_TYPE } from "#spec/oci-image.ts";
import { gzipStream } from "#store/blob-gzip.ts";
import type { ImageRecord } from "#store/image-record.ts";
import type { Layer } from "#store/layer-store.ts";
import type { PushJob } from "./push-job.ts";

/** Layers in flight per push, unless the context says otherwise; Docker's number. */
const DEFAULT_CONCURRENCY = 5;
/** Repositories to ask for a mount: each needs a scope in the token. */
const MAX_MOUNT_SOURCES = 5;
const GZIP_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPE.dockerLayerGzip, MEDIA_TYPE.ociLayerGzip]);

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
  job: PushJob,
  image: ImageRecord,
  original: Manifest | undefined,
): Promise<Descriptor[]> {
  const diffIds = layersOf(context, image);
  const foreign = foreignLayers(diffIds, original);
  const tasks = [...new Set(diffIds)]
    .filter((diffId) => !foreign.has(diffId))
    .map((diffId) => planTask(context, diffId, job));
  for (const { progress } of tasks) progress.say("Preparing");
  const kept = original && (await keepOriginalLayers(context, job, image, original));
  if (kept) return kept;
  for (const [diffId, { size }] of foreign) {
    new LayerProgress(job.report, label(diffId), size).say("Skipped foreign layer");
  }
  const limit = context.maxConcurrentUploads ?? DEFAULT_CONCURRENCY;
  for (const { progress } of tasks.slice(limit)) progress.say("Waiting");
  const pushed = await mapParallel(
    tasks,
    limit,
    async (task, signal) => [task.layer.diffId, await pushLayer(context, task, { ...job, signal })] as const,
    job.signal,
  );
  const byDiffId = new Map<Digest, Descriptor>([...foreign, ...pushed]);
  return diffIds.flatMap((diffId) => byDiffId.get(diffId) ?? []);
}

/** Those that may not be pushed stay what the manifest says they are. */
function foreignLayers(diffIds: readonly Digest[], original: Manifest | undefined): ReadonlyMap<Digest, Descriptor> {
  const layers = original?.layers.length === diffIds.length ? original.layers : [];
  return new Map(
    layers.flatMap((blob, at): [Digest, Descriptor][] => {
      const diffId = diffIds[at];
      return diffId && isForeign(blob) ? [[diffId, blob]] : [];
    }),
  );
}

/** Repositories that are known to have the image, by itself or in an index: canonical names. */
function repositoriesOf(context: ImageContext, image: Digest): readonly string[] {
  const { digests } = context.indexes.names(image);
  return [...new Set(digests.map((name) => name.slice(0, name.indexOf("@"))))];
}

/** Repositories of the same registry that are known to have layers of these images, or the images. */
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
  const repositories = new Set([
    ...rows.map((row) => String(row["repository"])),
    ...images.flatMap((id) => repositoriesOf(context, id)),
  ]);
  repositories.delete(repositoryName(target));
  return [...repositories]
    .filter((repository) => repository.startsWith(prefix))
    .map((repository) => repository.slice(prefix.length))
    .slice(0, MAX_MOUNT_SOURCES);
}

/**
 * Makes the registry have every blob of the original manifest, so that the image keeps its digest: what it has, can mount, or is copied from
 * where the image came from. Resolves with the layers' descriptors, or undefined when one of them can be had nowhere.
 */
export async function keepOriginalLayers(
  context: ImageContext,
  job: PushJob,
  image: ImageRecord,
  { layers: blobs }: Manifest,
): Promise<Descriptor[] | undefined> {
  const diffIds = layersOf(context, image);
  if (blobs.length === 0 || blobs.length !== diffIds.length) return undefined;
  // A manifest that a build made names layers as they are kept here: registries get them compressed.
  if (image.manifest?.isOurs && blobs.some(({ digest }, at) => digest === diffIds[at])) return undefined;
  const unique = [
    ...new Map(blobs.map((blob, at) => [blob.digest, { blob, diffId: diffIds[at] ?? blob.digest }])).values(),
  ];
  const limit = context.maxConcurrentUploads ?? DEFAULT_CONCURRENCY;
  const found = await mapParallel(
    unique,
    limit,
    async (task, signal) => ({
      ...task,
      outcome: isForeign(task.blob) ? "Skipped foreign layer" : await findRemote({ ...job, signal }, task.blob.digest),
    }),
    job.signal,
  );
  const missing = found.filter(({ outcome }) => outcome === undefined);
  // What an earlier push compressed is compressed again rather than fetched: that gives the same bytes.
  if (missing.length > 0 && image.manifest?.isOurs) return undefined;
  const sources = missing.length > 0 ? repositoriesOf(context, image.id) : [];
  const copied = await mapParallel(
    missing,
    limit,
    (task, signal) => copyLayer(task, sources, { ...job, signal }),
    job.signal,
  );
  if (copied.includes(false)) return undefined;
  for (const { blob, diffId, outcome } of found) {
    if (!isForeign(blob)) rememberBlob(context, job, diffId, blob);
    if (outcome) new LayerProgress(job.report, label(diffId), blob.size).say(outcome);
  }
  return [...blobs];
}

async function copyLayer(
  { blob, diffId }: { readonly blob: Descriptor; readonly diffId: Digest },
  sources: readonly string[],
  { relay, report, signal }: PushJob,
): Promise<boolean> {
  const progress = new LayerProgress(report, label(diffId), blob.size);
  const isCopied = await relay.copyLayer(blob, sources, progress, signal);
  if (isCopied) progress.say("Pushed");
  return isCopied;
}

/** Makes the registry have one layer. Resolves with its descriptor there. */
export async function pushSingleLayer(context: ImageContext, job: PushJob, layer: Layer): Promise<Descriptor> {
  return await pushLayer(context, planTask(context, layer.diffId, job), job);
}

function layersOf(context: ImageContext, image: ImageRecord): Digest[] {
  return context.images.layers(image.id).map((layer) => layer.diffId);
}

function planTask(context: ImageContext, diffId: Digest, { report }: PushJob): Task {
  const layer = context.layers.layer(diffId);
  if (!layer) throw new NotFoundError(`layer ${diffId}: not found`);
  return { layer, progress: new LayerProgress(report, label(diffId), layer.size) };
}

async function pushLayer(context: ImageContext, { layer, progress }: Task, job: PushJob): Promise<Descriptor> {
  for (const blob of context.layers.blobsOf(layer.diffId).filter(({ mediaType }) => GZIP_TYPES.has(mediaType))) {
    const outcome = await findRemote(job, blob.digest);
    if (!outcome) continue;
    progress.say(outcome);
    rememberBlob(context, job, layer.diffId, blob);
    return blob;
  }
  const source = new CompressedLayer(context, layer, progress, job.signal);
  await job.writer.uploadBlob(source, job.signal);
  progress.say("Pushed");
  const blob = { mediaType: MEDIA_TYPE.dockerLayerGzip, digest: source.digest(), size: source.size };
  rememberBlob(context, job, layer.diffId, blob);
  return blob;
}

/** What to say of a blob that the registry has in this repository, or took over from another one; undefined when it must be sent. */
async function findRemote({ writer, mountFrom, signal }: PushJob, digest: Digest): Promise<string | undefined> {
  if (await writer.hasBlob(digest, signal)) return "Layer already exists";
  for (const from of mountFrom) {
    if (await writer.mountBlob(digest, from, signal)) return `Mounted from ${from}`;
  }
  return undefined;
}

function rememberBlob(context: ImageContext, { target, writer }: PushJob, diffId: Digest, blob: Descriptor): void {
  context.database.transaction(() => {
    context.layers.addBlob(diffId, { digest: blob.digest, size: blob.size, mediaType: blob.mediaType });
    context.database
      .statement("INSERT OR IGNORE INTO blob_sources (digest, repository) VALUES (?, ?)")
      .run(blob.digest, `${target.domain}/${writer.path}`);
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
