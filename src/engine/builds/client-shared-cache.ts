import { randomUUID } from "node:crypto";
import type { BlobStore } from "#build/build-client.ts";
import type { CacheLocation, CacheReader, CacheWriter } from "#build/shared-cache/shared-cache.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { DataLossError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";
import { type Descriptor, MEDIA_TYPE } from "#spec/oci-image.ts";
import { gzipStream } from "#store/blob-gzip.ts";
import type { Layer } from "#store/layer-store.ts";
import { ingestLayer } from "./ingest-cached-layer.ts";

type ClientLocation = Extract<CacheLocation, { readonly type: "client" }>;

const MAX_DOCUMENT = 64 * 1024 * 1024;

/** A cache in a directory of the client's, which reads and writes its index itself: to read, it has named the manifest. */
export class ClientCacheReader implements CacheReader {
  readonly #images: ImageContext;
  readonly #location: ClientLocation;
  readonly #signal: AbortSignal;

  constructor(images: ImageContext, location: ClientLocation, signal: AbortSignal) {
    this.#images = images;
    this.#location = location;
    this.#signal = signal;
  }

  async manifest(digest?: Digest): Promise<{ readonly bytes: Uint8Array; readonly mediaType: string }> {
    const wanted = digest ?? this.#location.digest;
    if (!wanted) throw new NotFoundError(`no build cache in ${this.#location.name}`);
    return { bytes: await this.#proven(wanted), mediaType: "" };
  }

  document(descriptor: Descriptor): Promise<Uint8Array> {
    return this.#proven(descriptor.digest);
  }

  layer(diffId: Digest, blob: Descriptor, signal: AbortSignal): Promise<Layer> {
    const { blobs } = this.#location;
    return ingestLayer(this.#images, diffId, blob, () => blobs.read(blob.digest, signal), signal);
  }

  async #proven(digest: Digest): Promise<Uint8Array> {
    const { blobs, name } = this.#location;
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of blobs.read(digest, this.#signal)) {
      size += chunk.length;
      if (size > MAX_DOCUMENT) throw new InvalidParameterError(`blob ${digest} in ${name} is too large`);
      chunks.push(chunk);
    }
    const bytes = Buffer.concat(chunks);
    if (digestOf(bytes) !== digest) throw new DataLossError(`blob ${digest} in ${name} is damaged`);
    return bytes;
  }
}

/** Writes a cache into a directory of the client's; blobs that are there stay. */
export function clientCacheWriter(
  { layers }: Pick<ImageContext, "layers">,
  { blobs, onManifest }: ClientLocation,
  signal: AbortSignal,
): CacheWriter {
  const write = (bytes: AsyncIterable<Uint8Array>): ReturnType<BlobStore["write"]> =>
    blobs.write(bytes, randomUUID(), signal);
  const document = async (bytes: Uint8Array, digest: Digest): Promise<void> => {
    if (!(await blobs.has(digest, signal))) await write(once(bytes));
  };
  return {
    has: (blob) => blobs.has(blob.digest, signal),
    document,
    add: async (layer) => {
      const known = layers.blobsOf(layer.diffId).filter(({ mediaType }) => /gzip$/.test(mediaType));
      for (const { digest, size } of known) {
        if (await blobs.has(digest, signal)) return { mediaType: MEDIA_TYPE.ociLayerGzip, digest, size };
      }
      const written = await write(gzipStream(layers.readTar(layer), signal));
      const blob = { mediaType: MEDIA_TYPE.ociLayerGzip, ...written };
      layers.addBlob(layer.diffId, blob);
      return blob;
    },
    finish: async (manifest, mediaType) => {
      const digest = digestOf(manifest);
      await document(manifest, digest);
      onManifest?.({ mediaType, digest, size: manifest.length });
    },
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}
