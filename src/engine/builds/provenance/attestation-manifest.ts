import type { DescribedDocument } from "#engine/images/image-manifest.ts";
import { digestOf } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";
import { MEDIA_TYPE } from "#spec/oci-image.ts";
import type { Predicate } from "./slsa-predicate.ts";

const STATEMENT_TYPE = "application/vnd.in-toto+json";

/** What a statement is about. https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md */
export interface Subject {
  /** A package URL, or a path. */
  readonly name: string;
  readonly digest: Digest;
}

/** An attestation of an image, as it lies beside the image in an index. */
export interface Attestation {
  readonly manifest: DescribedDocument;
  readonly config: Uint8Array;
  readonly statement: Uint8Array;
}

/** https://github.com/in-toto/attestation/blob/main/spec/v0.1.0/README.md#statement */
export function inTotoStatement({ type, content }: Predicate, subjects: readonly Subject[]): Uint8Array {
  const statement = {
    _type: "https://in-toto.io/Statement/v0.1",
    predicateType: type,
    subject: subjects.map(({ name, digest }) => {
      const [algorithm = "", hex = ""] = digest.split(":");
      return { name, digest: { [algorithm]: hex } };
    }),
    predicate: content,
  };
  return Buffer.from(JSON.stringify(statement, null, 2));
}

/** https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md */
export function attestationManifest(predicate: Predicate, subjects: readonly Subject[], image: Digest): Attestation {
  const statement = inTotoStatement(predicate, subjects);
  const layer = digestOf(statement);
  const unknown = { architecture: "unknown", os: "unknown" };
  const config = json({ ...unknown, config: {}, rootfs: { type: "layers", diff_ids: [layer] } });
  const bytes = json({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: { mediaType: MEDIA_TYPE.ociConfig, digest: digestOf(config), size: config.length },
    layers: [
      {
        mediaType: STATEMENT_TYPE,
        digest: layer,
        size: statement.length,
        annotations: { "in-toto.io/predicate-type": predicate.type },
      },
    ],
  });
  const annotations = {
    "vnd.docker.reference.digest": image,
    "vnd.docker.reference.type": "attestation-manifest",
  };
  const descriptor = {
    mediaType: MEDIA_TYPE.ociManifest,
    digest: digestOf(bytes),
    size: bytes.length,
    annotations,
    platform: unknown,
  };
  return { manifest: { bytes, descriptor }, config, statement };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
