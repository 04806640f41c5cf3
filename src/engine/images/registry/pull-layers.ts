import type { ImageContext } from "#engine/images/image-context.ts";
import { LayerProgress } from "#engine/images/layer-progress.ts";
import type { ProgressListener } from "#engine/images/progress.ts";
import { aboutSubject, DataLossError } from "#errors/errors.ts";
import { digestHex } from "#formats/digest.ts";
import { mapParallel } from "#lib/map-parallel.ts";
import type { Repository } from "#registry/repository.ts";
import type { Digest } from "#spec/digest.ts";
import type { Descriptor, ImageConfig, Manifest } from "#spec/oci-image.ts";

/** Layers in flight per pull, unless the context says otherwise. */
const DEFAULT_CONCURRENCY = 6;

export interface LayersToPull {
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** Canonical name, remembered as a place to mount the blobs from. */
  readonly repository: string;
  /** The image is here already: layers that are here as well are not worth a line. */
  readonly isKnown: boolean;
  readonly report: ProgressListener;
  readonly signal: AbortSignal;
}

interface Task {
  readonly blob: Descriptor;
  readonly diffId: Digest;
  readonly progress: LayerProgress;
}

/**
 * Makes every layer of a manifest present, in parallel, each streamed from the registry into its layer file. The caller has a lease
 * on them. On failure, layers that are complete stay and are found again next time.
 */
export async function pullLayers(context: ImageContext, source: Repository, work: LayersToPull): Promise<void> {
  const tasks = planTasks(work);
  const missing: Task[] = [];
  for (const task of tasks) {
    const isHere = context.layers.layer(task.diffId) !== undefined;
    if (!isHere) missing.push(task);
    if (!isHere) task.progress.say("Pulling fs layer");
    else if (!work.isKnown) task.progress.say("Already exists");
  }
  const limit = context.maxConcurrentDownloads ?? DEFAULT_CONCURRENCY;
  for (const task of missing.slice(limit)) task.progress.say("Waiting");
  // The largest first: the whole takes as long as its slowest part.
  const ordered = missing.toSorted((a, b) => b.blob.size - a.blob.size);
  await mapParallel(ordered, limit, (task, signal) => pullLayer(context, source, task, signal), work.signal);
  rememberSource(context, work);
}

function planTasks({ manifest, config, report }: LayersToPull): Task[] {
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw new DataLossError("layers from manifest don't match image configuration");
  }
  const tasks = new Map<Digest, Task>();
  for (const [index, blob] of manifest.layers.entries()) {
    const diffId = diffIds[index];
    if (!diffId || tasks.has(diffId)) continue;
    tasks.set(diffId, {
      blob,
      diffId,
      progress: new LayerProgress(report, digestHex(blob.digest).slice(0, 12), blob.size),
    });
  }
  return [...tasks.values()];
}

async function pullLayer(context: ImageContext, source: Repository, task: Task, signal: AbortSignal): Promise<void> {
  const { blob, diffId, progress } = task;
  // Another image's pull may be fetching this very layer.
  using _locked = await context.locks.acquire(`layer ${diffId}`, signal);
  if (context.layers.layer(diffId)) {
    progress.say("Already exists");
    return;
  }
  try {
    await context.layers.ingest(source.blob(blob, signal), {
      diffId,
      blob,
      signal,
      onProgress: (bytes) => {
        progress.move("Downloading", bytes);
        if (bytes === blob.size) progress.say("Verifying Checksum");
      },
    });
  } catch (error) {
    // Tar, gzip and the network know what is wrong, but not with which of several layers.
    throw aboutSubject("layer", blob.digest, error);
  }
  progress.say("Download complete");
  progress.move("Extracting", blob.size);
  progress.say("Pull complete");
}

/** Where these blobs are known to be: a later push to the same registry need not upload them. */
function rememberSource(context: ImageContext, { manifest, repository }: LayersToPull): void {
  context.database.transaction(() => {
    for (const { digest } of manifest.layers) {
      context.database
        .statement("INSERT OR IGNORE INTO blob_sources SELECT digest, ? FROM layer_blobs WHERE digest = ?")
        .run(repository, digest);
    }
  });
}
