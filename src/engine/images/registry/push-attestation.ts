import { keepDocuments } from "#engine/images/attest-names.ts";
import {
  type AttestationManifest,
  aboutManifest,
  attestationManifest,
  attestedManifest,
  readStatements,
} from "#engine/images/attestation-manifest.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { parseManifestDocument } from "#engine/images/manifest-document.ts";
import { digestOf } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { PushJob } from "./push-job.ts";

export interface PushedAttestation {
  /** The entry of the index that is pushed. */
  readonly entry: Descriptor;
  /** Blobs that belong to that index here. */
  readonly documents: readonly Digest[];
}

/**
 * Pushes an attestation that a build left here, about the manifests that the images of its index have there: `renamed` says which took the place of which. Undefined for one
 * that is not here.
 */
export async function pushAttestation(
  context: ImageContext,
  { writer, signal }: PushJob,
  entry: Descriptor,
  renamed: ReadonlyMap<Digest, Digest>,
): Promise<PushedAttestation | undefined> {
  const about = attestedManifest(entry);
  const bytes = await context.blobs.read(entry.digest).catch(() => undefined);
  if (!about || !bytes) return undefined;
  const made = remade(context, bytes, entry, { before: about, now: renamed.get(about) ?? about });
  for (const blob of [made.config, ...made.statements]) {
    const digest = digestOf(blob);
    if (!(await writer.hasBlob(digest, signal))) await writer.uploadSmallBlob(blob, digest, signal);
  }
  const { descriptor } = made.manifest;
  await writer.putManifest(descriptor.digest, made.manifest.bytes, descriptor.mediaType, signal);
  return { entry: descriptor, documents: await keepDocuments(context, [made]) };
}

function remade(
  context: ImageContext,
  bytes: Uint8Array,
  { mediaType, digest }: Descriptor,
  { before, now }: { readonly before: Digest; readonly now: Digest },
): AttestationManifest {
  const document = parseManifestDocument(bytes, mediaType, digest);
  const layers = document.kind === "manifest" ? document.manifest.layers : [];
  const statements = readStatements({ layers }, (blob) => context.blobs.readSync(blob));
  return attestationManifest(
    before === now ? statements : statements.map((statement) => aboutManifest(statement, before, now)),
    now,
  );
}
