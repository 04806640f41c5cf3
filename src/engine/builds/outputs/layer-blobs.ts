import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip, createZstdCompress } from "node:zlib";
import { Digester } from "#formats/digest.ts";
import { mapParallel } from "#lib/map-parallel.ts";
import type { Digest } from "#spec/digest.ts";
import { type Descriptor, MEDIA_TYPE } from "#spec/oci-image.ts";
import { gzipStream } from "#store/blob-gzip.ts";
import type { Layer, LayerProvider } from "#store/layer-store.ts";
import type { ImageForm } from "./build-output.ts";

/** Layers that are compressed at once: each has a program of its own. */
const CONCURRENCY = 2;

/** A layer in the form in which it leaves the engine. */
export interface LayerBlob {
  readonly descriptor: Descriptor;
  open(): AsyncIterable<Uint8Array>;
}

/** The blobs of layers, by diffID; disposing removes what was written for them. */
export interface LayerBlobs extends AsyncDisposable {
  readonly byLayer: ReadonlyMap<Digest, LayerBlob>;
}

export interface LayerBlobOptions {
  readonly form: Pick<ImageForm, "compression" | "level" | "ociTypes">;
  /** On a disk with room for the compressed layers. */
  readonly temporaryDirectory: string;
  readonly signal: AbortSignal;
}

const TYPES = {
  oci: { uncompressed: MEDIA_TYPE.ociLayer, gzip: MEDIA_TYPE.ociLayerGzip, zstd: MEDIA_TYPE.ociLayerZstd },
  docker: { uncompressed: MEDIA_TYPE.dockerLayer, gzip: MEDIA_TYPE.dockerLayerGzip, zstd: MEDIA_TYPE.ociLayerZstd },
} as const;

/** Uncompressed layers are read from their layer files; others are compressed into files first, since their digests are wanted before them. */
export async function layerBlobs(
  layers: readonly Layer[],
  provider: Pick<LayerProvider, "readTar">,
  { form, temporaryDirectory, signal }: LayerBlobOptions,
): Promise<LayerBlobs> {
  const mediaType = TYPES[form.ociTypes ? "oci" : "docker"][form.compression];
  const unique = [...new Map(layers.map((layer) => [layer.diffId, layer])).values()];
  if (form.compression === "uncompressed") {
    const plain = unique.map((layer): readonly [Digest, LayerBlob] => {
      const descriptor = { mediaType, digest: layer.diffId, size: layer.size };
      return [layer.diffId, { descriptor, open: () => provider.readTar(layer) }];
    });
    return { byLayer: new Map(plain), [Symbol.asyncDispose]: async () => {} };
  }
  const directory = await mkdtemp(join(temporaryDirectory, "layers-"));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const made = await mapParallel(
      unique,
      CONCURRENCY,
      async (layer, aborted) => {
        const path = join(directory, layer.diffId.replace(":", "-"));
        const { digest, size } = await writeCompressed(provider.readTar(layer), form, path, aborted);
        const blob = { descriptor: { mediaType, digest, size }, open: () => createReadStream(path) };
        return [layer.diffId, blob] as const;
      },
      signal,
    );
    return { byLayer: new Map<Digest, LayerBlob>(made), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function writeCompressed(
  tar: AsyncIterable<Uint8Array>,
  form: LayerBlobOptions["form"],
  path: string,
  signal: AbortSignal,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const digester = new Digester();
  async function* digested(): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of compressed(tar, form, signal)) {
      digester.update(chunk);
      yield chunk;
    }
  }
  await pipeline(Readable.from(digested()), createWriteStream(path, { flags: "wx", mode: 0o600 }), { signal });
  return { digest: digester.digest(), size: digester.size };
}

/** The same bytes for the same layer and level: no name, no time. */
async function* compressed(
  tar: AsyncIterable<Uint8Array>,
  { compression, level }: LayerBlobOptions["form"],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (compression === "gzip" && level === undefined) {
    yield* gzipStream(tar, signal);
    return;
  }
  const compressor =
    compression === "gzip"
      ? createGzip({ level: Math.min(level ?? 6, 9) })
      : createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level ?? 3 } });
  const feeding = pipeline(Readable.from(tar), compressor, { signal }).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  for await (const chunk of compressor) yield chunk;
  const failure = await feeding;
  if (failure) throw failure.error;
}
