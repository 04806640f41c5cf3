import type { RegistryLogins } from "#build/build-client.ts";
import type { VertexProgress } from "#build/solve/progress.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { pushImage } from "#engine/images/registry/push.ts";
import { digestOf } from "#formats/digest.ts";
import { parseReference, repositoryName, tagNameOnly } from "#formats/reference.ts";
import type { Credentials } from "#registry/credentials.ts";
import type { RepositoryWriter } from "#registry/repository-writer.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { Attester } from "../attestations/attester.ts";
import type { ImageOutput } from "./build-output.ts";
import type { BuiltResult } from "./deliver.ts";
import { type ExportedImages, withExportedImages } from "./exported-images.ts";

export interface PushOutputOptions {
  readonly output: ImageOutput;
  /** Canonical. */
  readonly name: string;
  readonly temporaryDirectory: string;
  readonly logins: RegistryLogins | undefined;
  readonly signal: AbortSignal;
  readonly attester: Attester | undefined;
}

/** Brings a build's images to a registry under one name. Gives what the name means there then. Throws as `pushImage` does. */
export async function pushOutput(
  context: ImageContext,
  built: BuiltResult,
  options: PushOutputOptions,
  vertex: VertexProgress,
): Promise<Descriptor | undefined> {
  const { name, output, signal, logins } = options;
  const credentials = await logins?.get(parseReference(name).domain, signal);
  const auth = credentials ? { credentials } : {};
  vertex.status("pushing layers");
  const isKept = isUsual(output, built) && !options.attester;
  const descriptor = isKept
    ? await pushUsual(context, built, name, { ...auth, signal })
    : await pushMade(context, built, { ...options, ...auth });
  vertex.status(`pushing manifest for ${name}${descriptor ? `@${descriptor.digest}` : ""}`);
  return descriptor;
}

/** The store has, or a push makes of what it has, just what was asked for. */
function isUsual(output: ImageOutput, { images }: BuiltResult): boolean {
  const { compression, level, isStored, isByDigest, ociTypes } = output;
  if (compression !== "gzip" || level !== undefined || !isStored || isByDigest) return false;
  return ociTypes || images.length === 1;
}

interface Auth {
  readonly credentials?: Credentials;
  readonly signal: AbortSignal;
}

/** As `docker push`. */
async function pushUsual(
  context: ImageContext,
  { imageId }: BuiltResult,
  name: string,
  options: Auth,
): Promise<Descriptor | undefined> {
  let pushed: string | undefined;
  await pushImage(context, name, {
    ...options,
    onProgress: ({ aux }) => {
      const found = aux as { readonly Digest?: string } | undefined;
      pushed = found?.Digest ?? pushed;
    },
  });
  const manifest = context.indexes.of(name) ?? context.images.find(imageId)?.manifest;
  if (manifest?.size === undefined || manifest.digest !== pushed) return undefined;
  const { digest, mediaType, size } = manifest;
  return { mediaType, digest, size };
}

/** With manifests and layers made for this output. */
async function pushMade(
  context: ImageContext,
  { imageId, images }: BuiltResult,
  options: PushOutputOptions & Auth,
): Promise<Descriptor> {
  const { name, output, signal, credentials, temporaryDirectory, attester } = options;
  const reference = output.isByDigest ? parseReference(name) : tagNameOnly(parseReference(name));
  const writer = await context.registry.writer(reference, { ...(credentials ? { credentials } : {}), signal });
  const exporting = { temporaryDirectory, signal, attester };
  return await withExportedImages(context, images, output, exporting, async (exported) => {
    await putBlobs(writer, exported, signal);
    const { top, index } = exported;
    if (index) {
      for (const { manifest } of [...exported.images, ...exported.attestations]) {
        const { digest, mediaType } = manifest.descriptor;
        await writer.putManifest(digest, manifest.bytes, mediaType, signal);
      }
    }
    const { digest, mediaType } = top.descriptor;
    await writer.putManifest(output.isByDigest ? digest : (reference.tag ?? "latest"), top.bytes, mediaType, signal);
    if (output.isStored) context.images.addDigest(repositoryName(reference), digest, imageId);
    return top.descriptor;
  });
}

async function putBlobs(
  writer: RepositoryWriter,
  { images, attestations }: ExportedImages,
  signal: AbortSignal,
): Promise<void> {
  const layers = new Map(images.flatMap((image) => image.layers).map((layer) => [layer.descriptor.digest, layer]));
  for (const [digest, { open }] of layers) {
    if (!(await writer.hasBlob(digest, signal))) await writer.uploadBlob({ open, digest: () => digest }, signal);
  }
  const documents = [
    ...images.map(({ config }) => config),
    ...attestations.flatMap((one) => [one.config, ...one.statements]),
  ];
  for (const bytes of documents) {
    const digest = digestOf(bytes);
    if (!(await writer.hasBlob(digest, signal))) await writer.uploadSmallBlob(bytes, digest, signal);
  }
}
