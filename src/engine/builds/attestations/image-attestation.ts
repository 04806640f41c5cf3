import type { BuiltImage } from "#build/builder.ts";
import {
  type AttestationManifest,
  attestationManifest,
  inTotoStatement,
  type Subject,
} from "#engine/images/attestation-manifest.ts";
import type { Digest } from "#spec/digest.ts";
import type { Attester } from "./attester.ts";
import { imageUrl } from "./package-url.ts";

export interface AttestedManifest {
  /** Canonical; what the image is called. */
  readonly names: readonly string[];
  readonly digest: Digest;
}

/** All that is said of an image, about the manifest that it has; nothing when nothing is said. */
export function imageAttestation(
  attester: Attester,
  image: BuiltImage,
  { names, digest }: AttestedManifest,
): readonly AttestationManifest[] {
  const subjects = names.map((name): Subject => ({ name: imageUrl(name, image.platform), digest }));
  const about = subjects.length > 0 ? subjects : [{ name: "_", digest }];
  const statements = attester.of(image).map(({ predicate }) => {
    return { predicateType: predicate.type, bytes: inTotoStatement(predicate, about) };
  });
  return statements.length === 0 ? [] : [attestationManifest(statements, digest)];
}
