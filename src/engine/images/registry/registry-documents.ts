/** Manifests and indexes in registries, looked at and put together there: nothing of them is kept here. */

import type { ImageContext } from "#engine/images/image-context.ts";
import { listReferences } from "#engine/images/manifest-document.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import { familiarString, parseReference, type Reference, repositoryName, tagNameOnly } from "#formats/reference.ts";
import type { Credentials } from "#registry/credentials.ts";
import type { RegistryClient } from "#registry/registry-client.ts";
import type { FetchedManifest, Repository } from "#registry/repository.ts";
import type { RepositoryWriter } from "#registry/repository-writer.ts";
import type { Digest } from "#spec/digest.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import { pullFailure, pushFailure } from "./registry-failure.ts";

export interface DocumentOptions {
  readonly credentials?: Credentials;
  /** Take plain http and any certificate of this registry. */
  readonly insecure: boolean;
  readonly signal: AbortSignal;
}

/** A manifest or an index by name, exactly as the registry has it. Throws as a pull does. */
export async function fetchDocument(
  context: ImageContext,
  name: string,
  options: DocumentOptions,
): Promise<FetchedManifest> {
  const reference = tagNameOnly(parseReference(name));
  const repository = clientFor(context, reference, options).repository(reference, options);
  try {
    return await repository.manifest(reference.digest ?? reference.tag ?? "latest", options.signal);
  } catch (error) {
    throw pullFailure(error, reference);
  }
}

/** A small blob (a config) of a repository. Throws as a pull does, InvalidParameterError when it is larger than `limit` bytes. */
export async function fetchSmallBlob(
  context: ImageContext,
  name: string,
  blob: Descriptor,
  options: DocumentOptions & { readonly limit: number },
): Promise<Uint8Array> {
  const reference = parseReference(name);
  const repository = clientFor(context, reference, options).repository(reference, options);
  try {
    return await repository.smallBlob(blob, options.limit, options.signal);
  } catch (error) {
    throw pullFailure(error, reference);
  }
}

export interface DocumentSource {
  /** `repository@digest`. */
  readonly name: string;
  readonly credentials?: Credentials;
}

export interface PublishOptions extends DocumentOptions {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  /** Manifests that the document names and that may lie in other repositories: they are copied first. */
  readonly sources: readonly DocumentSource[];
}

/**
 * Puts a manifest or an index into a registry, after what it names. Blobs of the same registry are mounted, those of others copied. Resolves
 * with the digest of the document. Throws as a push does.
 */
export async function publishDocument(context: ImageContext, name: string, options: PublishOptions): Promise<Digest> {
  const target = tagNameOnly(parseReference(name));
  const sources = options.sources.map(({ name: source, credentials }) => ({
    reference: parseReference(source),
    credentials,
  }));
  const others = sources.filter(({ reference }) => repositoryName(reference) !== repositoryName(target));
  const mountFrom = [
    ...new Set(others.flatMap(({ reference: { domain, path } }) => (domain === target.domain ? path : []))),
  ];
  const client = clientFor(context, target, options);
  try {
    const writer = await client.writer(target, { ...options, mountFrom });
    for (const { reference, credentials } of others) {
      if (!reference.digest) throw new InvalidParameterError(`${familiarString(reference)}: a source needs a digest`);
      const access = { signal: options.signal, ...(credentials ? { credentials } : {}) };
      const repository = clientFor(context, reference, options).repository(reference, access);
      const canMount = reference.domain === target.domain;
      await copyDocument({ repository, writer, canMount, signal: options.signal }, reference.digest);
    }
    await writer.putManifest(target.tag ?? digestOf(options.bytes), options.bytes, options.mediaType, options.signal);
    return digestOf(options.bytes);
  } catch (error) {
    throw pushFailure(error);
  }
}

interface Copying {
  readonly repository: Repository;
  readonly writer: RepositoryWriter;
  readonly canMount: boolean;
  readonly signal: AbortSignal;
}

/** What a document names first, so that a registry which checks finds it. */
async function copyDocument(copying: Copying, digest: Digest): Promise<void> {
  const { repository, writer, signal } = copying;
  if (await writer.hasManifest(digest, signal)) return;
  const { bytes, mediaType } = await repository.manifest(digest, signal);
  const { manifests, blobs } = listReferences(bytes);
  for (const manifest of manifests) await copyDocument(copying, manifest.digest);
  for (const blob of blobs) await copyBlob(copying, blob);
  await writer.putManifest(digest, bytes, mediaType, signal);
}

async function copyBlob({ repository, writer, canMount, signal }: Copying, blob: Descriptor): Promise<void> {
  if (await writer.hasBlob(blob.digest, signal)) return;
  if (canMount && (await writer.mountBlob(blob.digest, repository.path, signal))) return;
  await writer.uploadBlob({ open: () => repository.blob(blob, signal), digest: () => blob.digest }, signal);
}

function clientFor({ registry }: ImageContext, { domain }: Reference, { insecure }: DocumentOptions): RegistryClient {
  return insecure ? registry.trusting(domain) : registry;
}
