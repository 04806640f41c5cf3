import type {
  CacheAccess,
  CacheLocation,
  CacheReader,
  CacheWriter,
  SharedCaches,
} from "#build/shared-cache/shared-cache.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import type { PushJob } from "#engine/images/registry/push-job.ts";
import { pushSingleLayer } from "#engine/images/registry/push-layers.ts";
import { PushRelay } from "#engine/images/registry/push-relay.ts";
import { pushFailure } from "#engine/images/registry/registry-failure.ts";
import { parseReference, type Reference } from "#formats/reference.ts";
import type { Repository } from "#registry/repository.ts";
import type { Digest } from "#spec/digest.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { Layer } from "#store/layer-store.ts";
import { ClientCacheReader, clientCacheWriter } from "./client-shared-cache.ts";
import { ingestLayer } from "./ingest-cached-layer.ts";
import { LocalCacheReader, LocalCacheWriter } from "./local-shared-cache.ts";

/** A cache config of ten thousand steps is a few megabytes. */
const MAX_DOCUMENT = 64 * 1024 * 1024;

/** Build caches in registries, in directories of this machine and of clients. */
export class EngineSharedCaches implements SharedCaches {
  readonly #images: ImageContext;

  constructor(images: ImageContext) {
    this.#images = images;
  }

  reader(location: CacheLocation, access: CacheAccess): CacheReader {
    switch (location.type) {
      case "local":
        return new LocalCacheReader(this.#images, location);
      case "client":
        return new ClientCacheReader(this.#images, location, access.signal);
      case "registry":
        return new RegistryCacheReader(this.#images, parseReference(location.reference), access);
    }
  }

  async writer(location: CacheLocation, access: CacheAccess): Promise<CacheWriter> {
    switch (location.type) {
      case "local":
        return await LocalCacheWriter.open(this.#images, location, access.signal);
      case "client":
        return clientCacheWriter(this.#images, location, access.signal);
      case "registry":
        return await registryWriter(this.#images, parseReference(location.reference), access);
    }
  }
}

class RegistryCacheReader implements CacheReader {
  readonly #images: ImageContext;
  readonly #reference: Reference;
  readonly #access: CacheAccess;
  #repository: Promise<Repository> | undefined;

  constructor(images: ImageContext, reference: Reference, access: CacheAccess) {
    this.#images = images;
    this.#reference = reference;
    this.#access = access;
  }

  async manifest(digest?: Digest): Promise<{ readonly bytes: Uint8Array; readonly mediaType: string }> {
    const wanted = digest ?? this.#reference.digest ?? this.#reference.tag ?? "latest";
    return await (await this.#open()).manifest(wanted, this.#access.signal);
  }

  async document(descriptor: Descriptor): Promise<Uint8Array> {
    return await (await this.#open()).smallBlob(descriptor, MAX_DOCUMENT, this.#access.signal);
  }

  async layer(diffId: Digest, blob: Descriptor, signal: AbortSignal): Promise<Layer> {
    const repository = await this.#open();
    return await ingestLayer(this.#images, diffId, blob, () => repository.blob(blob, signal), signal);
  }

  #open(): Promise<Repository> {
    this.#repository ??= openRepository(this.#images, this.#reference, this.#access);
    return this.#repository;
  }
}

async function openRepository(
  { registry }: ImageContext,
  reference: Reference,
  { logins, signal }: CacheAccess,
): Promise<Repository> {
  const credentials = await logins?.get(reference.domain, signal);
  return registry.repository(reference, { ...(credentials ? { credentials } : {}), signal });
}

async function registryWriter(
  images: ImageContext,
  reference: Reference,
  { logins, signal }: CacheAccess,
): Promise<CacheWriter> {
  try {
    const credentials = await logins?.get(reference.domain, signal);
    const writer = await images.registry.writer(reference, { ...(credentials ? { credentials } : {}), signal });
    const relay = new PushRelay(images, writer, reference, credentials);
    const job: PushJob = { target: reference, writer, mountFrom: [], relay, report: () => undefined, signal };
    return {
      has: (blob) => orFailure(() => writer.hasBlob(blob.digest, signal)),
      add: (layer) => orFailure(() => pushSingleLayer(images, job, layer)),
      document: (bytes, digest) => orFailure(() => writer.uploadSmallBlob(bytes, digest, signal)),
      finish: (manifest, mediaType) =>
        orFailure(() => writer.putManifest(reference.tag ?? "latest", manifest, mediaType, signal)),
    };
  } catch (error) {
    throw pushFailure(error);
  }
}

async function orFailure<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw pushFailure(error);
  }
}
