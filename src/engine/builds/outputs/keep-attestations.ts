import type { VertexProgress } from "#build/solve/progress.ts";
import { attestNames } from "#engine/images/attest-names.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { SystemError } from "#errors/errors.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { Attester } from "../attestations/attester.ts";
import { imageAttestation } from "../attestations/image-attestation.ts";
import type { ImageOutput } from "./build-output.ts";
import type { BuiltResult } from "./deliver.ts";

export interface KeptAttestations {
  readonly output: ImageOutput;
  readonly attester: Attester;
  readonly vertex: VertexProgress;
}

/**
 * Gives the names of a build in the store an index of the images and what is attested of them. Gives its descriptor; undefined when there are no names: an index
 * without one is not kept.
 */
export async function keepAttestations(
  context: ImageContext,
  { images }: BuiltResult,
  { output, attester, vertex }: KeptAttestations,
): Promise<Descriptor | undefined> {
  const { names, annotations } = output;
  if (names.length === 0) return undefined;
  const parts = images.map((image) => {
    const manifest = context.images.find(image.id)?.manifest;
    if (manifest?.size === undefined) throw new SystemError(`image ${image.id} has no manifest to attest of`);
    const { mediaType, digest, size } = manifest;
    const attestations = imageAttestation(attester, image, { names, digest });
    return { image: image.id, descriptor: { mediaType, digest, size, platform: image.platform }, attestations };
  });
  const descriptor = await attestNames(context, parts, { names, annotations });
  for (const { manifest } of parts.flatMap(({ attestations }) => attestations))
    vertex.status(`exporting attestation manifest ${manifest.descriptor.digest}`);
  vertex.status(`exporting manifest list ${descriptor.digest}`);
  for (const name of names) vertex.status(`naming to ${name}`);
  return descriptor;
}
