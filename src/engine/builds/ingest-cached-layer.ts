import type { ImageContext } from "#engine/images/image-context.ts";
import { aboutSubject } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { Layer } from "#store/layer-store.ts";

/** A layer of a shared cache as one of the store; another build may be fetching it right now. Throws DataLossError that names the blob. */
export async function ingestLayer(
  { locks, layers }: Pick<ImageContext, "locks" | "layers">,
  diffId: Digest,
  blob: Descriptor,
  open: () => AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<Layer> {
  using _locked = await locks.acquire(`layer ${diffId}`, signal);
  const known = layers.layer(diffId);
  if (known) return known;
  try {
    return await layers.ingest(open(), { diffId, blob, signal });
  } catch (error) {
    throw aboutSubject("cached layer", blob.digest, error);
  }
}
