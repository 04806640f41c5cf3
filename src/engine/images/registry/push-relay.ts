import type { ImageContext } from "#engine/images/image-context.ts";
import type { LayerProgress } from "#engine/images/layer-progress.ts";
import { parseManifestDocument } from "#engine/images/manifest-document.ts";
import { CancelledError, DataLossError, UnavailableError } from "#errors/errors.ts";
import { Digester } from "#formats/digest.ts";
import { parseReference, type Reference, repositoryName } from "#formats/reference.ts";
import type { Credentials } from "#registry/credentials.ts";
import type { Repository } from "#registry/repository.ts";
import type { RepositoryWriter } from "#registry/repository-writer.ts";
import type { Digest } from "#spec/digest.ts";
import type { Descriptor } from "#spec/oci-image.ts";

/** A source that gives nothing for so long is left out, ms: a push must not hang on a registry that it could do without. */
const START_TIMEOUT = 5000;

/**
 * Copies what a push needs byte for byte and this machine has not kept, from the registries where it is known to be. Layers are kept
 * unpacked; only their original bytes have the digests that the original manifest names. Other registries are asked without credentials.
 */
export class PushRelay {
  readonly #context: ImageContext;
  readonly #writer: RepositoryWriter;
  readonly #target: Reference;
  readonly #credentials: Credentials | undefined;
  /** Repositories by canonical name; undefined for one that gave nothing. */
  readonly #sources = new Map<string, Repository | undefined>();

  /** `credentials` are for the target's registry. */
  constructor(
    context: ImageContext,
    writer: RepositoryWriter,
    target: Reference,
    credentials: Credentials | undefined,
  ) {
    this.#context = context;
    this.#writer = writer;
    this.#target = target;
    this.#credentials = credentials;
  }

  /**
   * Copies a layer's blob, from where it is known to be or from `others`, repositories of an image that has it. False when no source has it to
   * give. Throws what the target says, and CancelledError.
   */
  async copyLayer(
    blob: Descriptor,
    others: readonly string[],
    progress: LayerProgress,
    signal: AbortSignal,
  ): Promise<boolean> {
    const rows = this.#context.database
      .statement("SELECT repository FROM blob_sources WHERE digest = ? ORDER BY repository")
      .all(blob.digest);
    const sources = new Set([...rows.map(({ repository }) => String(repository)), ...others]);
    for (const repository of sources) {
      if (await this.#copyBlob(repository, blob, signal, progress)) return true;
    }
    return false;
  }

  /** Copies a manifest and its blobs from a repository that has the index which names it. False when none gives it. */
  async copyManifest(index: Digest, manifest: Descriptor, signal: AbortSignal): Promise<boolean> {
    const rows = this.#context.database
      .statement("SELECT repository FROM image_digests WHERE digest = ? ORDER BY repository")
      .all(index);
    for (const { repository } of rows) {
      if (await this.#copyManifestFrom(String(repository), manifest, signal)) return true;
    }
    return false;
  }

  async #copyManifestFrom(name: string, { digest, mediaType }: Descriptor, signal: AbortSignal): Promise<boolean> {
    const fetched = await this.#ask(name, signal, (source, early) => source.manifest(digest, early));
    if (!fetched) return false;
    const document = parseManifestDocument(fetched.bytes, mediaType, digest);
    if (document.kind === "index") return false;
    for (const blob of [document.manifest.config, ...document.manifest.layers]) {
      const isThere = (await this.#writer.hasBlob(blob.digest, signal)) || (await this.#copyBlob(name, blob, signal));
      if (!isThere) return false;
    }
    await this.#writer.putManifest(digest, fetched.bytes, document.mediaType, signal);
    return true;
  }

  async #copyBlob(name: string, blob: Descriptor, signal: AbortSignal, progress?: LayerProgress): Promise<boolean> {
    const opened = await this.#ask(name, signal, (source, early) => openBlob(source, blob, early));
    if (!opened) return false;
    let failure: unknown;
    let begun: BlobStream | undefined = opened;
    const open = async function* (source: Repository): AsyncGenerator<Uint8Array, void, undefined> {
      const digester = new Digester();
      try {
        const stream = begun ?? (await openBlob(source, blob, signal));
        begun = undefined;
        for await (const chunk of stream) {
          digester.update(chunk);
          progress?.move("Pushing", digester.size);
          yield chunk;
        }
        if (digester.digest() !== blob.digest) throw new DataLossError(`blob ${blob.digest}: ${name} has another one`);
      } catch (error) {
        failure = error;
        throw error;
      }
    };
    const source = this.#source(name);
    if (!source) return false;
    try {
      await this.#writer.uploadBlob({ open: () => open(source), digest: () => blob.digest }, signal);
      return true;
    } catch (error) {
      if (failure === undefined || signal.aborted) throw error;
      this.#sources.set(name, undefined);
      return false;
    }
  }

  /** Asks a source that may be unreachable, unwilling or gone: undefined then, and it is asked for nothing more. */
  async #ask<T>(
    name: string,
    signal: AbortSignal,
    question: (source: Repository, early: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    const source = this.#source(name);
    if (!source) return undefined;
    const early = new AbortController();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      early.abort();
      late.reject(new UnavailableError(`${name} gave nothing in time`));
    }, START_TIMEOUT);
    try {
      return await Promise.race([question(source, AbortSignal.any([signal, early.signal])), late.promise]);
    } catch (error) {
      if (signal.aborted) throw new CancelledError("cancelled", { cause: error });
      this.#sources.set(name, undefined);
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  #source(name: string): Repository | undefined {
    if (name === repositoryName(this.#target)) return undefined;
    if (this.#sources.has(name)) return this.#sources.get(name);
    const reference = parseReference(name);
    const credentials = reference.domain === this.#target.domain ? this.#credentials : undefined;
    const source = this.#context.registry.repository(reference, {
      attempts: 1,
      ...(credentials ? { credentials } : {}),
    });
    this.#sources.set(name, source);
    return source;
  }
}

type BlobStream = AsyncIterable<Uint8Array>;

/** Resolves once the first bytes are there. */
async function openBlob(source: Repository, blob: Descriptor, signal: AbortSignal): Promise<BlobStream> {
  const chunks = source.blob(blob, signal);
  const first = await chunks.next();
  return (async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    if (!first.done) yield first.value;
    yield* chunks;
  })();
}
