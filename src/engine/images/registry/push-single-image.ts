import type { ImageContext } from "#engine/images/image-context.ts";
import { digestOf } from "#formats/digest.ts";
import type { ImageRecord } from "#store/image-record.ts";
import { type PushedDocument, type PushJob, pushConfig } from "./push-job.ts";
import { pushLayers } from "./push-layers.ts";
import { buildManifest, type PushableManifest, readOriginalManifest } from "./push-manifest.ts";

/**
 * Pushes one image, its manifest last, under a tag or by its digest (`tag` undefined). An image that had no manifest, or one of layers as
 * they are kept here, keeps the one that it gets.
 */
export async function pushSingleImage(
  context: ImageContext,
  job: PushJob,
  image: ImageRecord,
  tag: string | undefined,
): Promise<PushedDocument> {
  const original = await readOriginalManifest(context, image);
  const layers = await pushLayers(context, job, image, original?.manifest);
  const config = await pushConfig(context, job, image.id);
  const manifest = buildManifest(config, layers, original, image.manifest?.isOurs ?? false);
  const digest = digestOf(manifest.bytes);
  await job.writer.putManifest(tag ?? digest, manifest.bytes, manifest.mediaType, job.signal);
  if (!image.manifest || (image.manifest.isOurs && image.manifest.digest !== digest)) {
    await keepManifest(context, image, manifest);
  }
  return { digest, size: manifest.bytes.length, mediaType: manifest.mediaType };
}

async function keepManifest(context: ImageContext, { id }: ImageRecord, manifest: PushableManifest): Promise<void> {
  const digest = await context.blobs.put(manifest.bytes);
  const { bytes, mediaType } = manifest;
  context.database.transaction(() => {
    if (context.images.find(id))
      context.images.setManifest(id, { digest, mediaType, size: bytes.length, isOurs: true });
  });
}
