import type { BlobSource } from "#build/build-client.ts";
import type { BaseImage } from "#build/builder.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { parseImageConfig, parseManifestDocument } from "#engine/images/manifest-document.ts";
import { DataLossError, NotFoundError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import { choosePlatform, parsePlatform } from "#formats/platform.ts";
import { mapParallel } from "#lib/map-parallel.ts";
import type { Digest } from "#spec/digest.ts";
import type { Manifest } from "#spec/oci-image.ts";

/** Manifests and configs longer than this are refused, bytes. */
const MAX_DOCUMENT = 8 * 1024 * 1024;
const PARALLEL_LAYERS = 3;

export interface LayoutImageRequest {
  /** Of the manifest, or of an index that has one for the platform. */
  readonly digest: Digest;
  readonly blobs: BlobSource;
  /** As messages call it. */
  readonly name: string;
  readonly platform: string;
  readonly signal: AbortSignal;
  readonly onProgress: (id: string, current: number, total: number) => void;
}

/**
 * Takes an image of an OCI layout at the client into the store: its layers, verified. It gets no name and no record: it is there for one
 * build, whose lease keeps the layers. Throws NotFoundError, DataLossError on a digest that does not fit.
 */
export async function importLayoutImage(context: ImageContext, request: LayoutImageRequest): Promise<BaseImage> {
  const { digest, manifest } = await findManifest(request);
  const config = parseImageConfig(await document(request, manifest.config.digest));
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw new DataLossError(
      `image ${request.name}: its manifest has ${manifest.layers.length} layers, its config ${diffIds.length}`,
    );
  }
  const { signal, blobs, onProgress } = request;
  const layers = await mapParallel(
    [...manifest.layers.entries()],
    PARALLEL_LAYERS,
    async ([index, blob], layerSignal) => {
      const diffId = diffIds[index];
      const known = diffId && context.layers.layer(diffId);
      if (known) return known;
      const { digest: blobDigest, size, mediaType } = blob;
      return await context.layers.ingest(blobs.read(blobDigest, layerSignal), {
        ...(diffId ? { diffId } : {}),
        blob: { digest: blobDigest, size, mediaType },
        signal: layerSignal,
        onProgress: (bytes) => onProgress(blobDigest, bytes, size),
      });
    },
    signal,
  );
  return { id: manifest.config.digest, config, layers, manifestDigest: digest };
}

async function findManifest(
  request: LayoutImageRequest,
): Promise<{ readonly digest: Digest; readonly manifest: Manifest }> {
  const { name, platform } = request;
  let { digest } = request;
  // An index may hold an index; nobody nests deeper.
  for (let depth = 0; depth < 3; depth++) {
    const found = parseManifestDocument(await document(request, digest), "", name);
    if (found.kind === "manifest") return { digest, manifest: found.manifest };
    const chosen =
      choosePlatform(found.index.manifests, parsePlatform(platform)) ??
      found.index.manifests.find(({ platform: none }) => !none);
    if (!chosen) throw new NotFoundError(`${name}: no match for platform in manifest: not found`);
    digest = chosen.digest;
  }
  throw new DataLossError(`image ${name}: its indexes are nested too deep`);
}

async function document({ blobs, signal, name }: LayoutImageRequest, digest: Digest): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of blobs.read(digest, signal)) {
    size += chunk.length;
    if (size > MAX_DOCUMENT) throw new DataLossError(`image ${name}: ${digest} is too large for a manifest or config`);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (digestOf(bytes) !== digest) throw new DataLossError(`image ${name}: blob ${digest} has another digest`);
  return bytes;
}
