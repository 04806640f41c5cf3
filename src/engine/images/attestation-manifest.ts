import { digestHex, digestOf, isDigest } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";
import { type Descriptor, MEDIA_TYPE } from "#spec/oci-image.ts";
import type { DescribedDocument } from "./image-manifest.ts";

const STATEMENT_TYPE = "application/vnd.in-toto+json";
const PREDICATE_TYPE = "in-toto.io/predicate-type";
/** Which manifest of the index an attestation is about. */
const REFERENCE = "vnd.docker.reference.digest";

/** What a statement is about. https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md */
export interface Subject {
  /** A package URL, or a path. */
  readonly name: string;
  readonly digest: Digest;
}

/** What a statement says. */
export interface Predicate {
  /** A URI. */
  readonly type: string;
  readonly content: object;
}

/** An in-toto statement and the type of its predicate. */
export interface Statement {
  readonly predicateType: string;
  readonly bytes: Uint8Array;
}

/** The attestations of an image, as they lie beside the image in an index. */
export interface AttestationManifest {
  readonly manifest: DescribedDocument;
  readonly config: Uint8Array;
  readonly statements: readonly Uint8Array[];
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
export function attestationManifest(statements: readonly Statement[], image: Digest): AttestationManifest {
  const layers = statements.map(({ bytes, predicateType }) => ({
    mediaType: STATEMENT_TYPE,
    digest: digestOf(bytes),
    size: bytes.length,
    annotations: { [PREDICATE_TYPE]: predicateType },
  }));
  const unknown = { architecture: "unknown", os: "unknown" };
  const diffIds = layers.map(({ digest }) => digest);
  const config = json({ ...unknown, config: {}, rootfs: { type: "layers", diff_ids: diffIds } });
  const bytes = json({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: { mediaType: MEDIA_TYPE.ociConfig, digest: digestOf(config), size: config.length },
    layers,
  });
  const annotations = { [REFERENCE]: image, "vnd.docker.reference.type": "attestation-manifest" };
  const descriptor = {
    mediaType: MEDIA_TYPE.ociManifest,
    digest: digestOf(bytes),
    size: bytes.length,
    annotations,
    platform: unknown,
  };
  return { manifest: { bytes, descriptor }, config, statements: statements.map((statement) => statement.bytes) };
}

/** The manifest that an entry of an index attests of; undefined for another entry. */
export function attestedManifest({ annotations }: Descriptor): Digest | undefined {
  const digest = annotations?.[REFERENCE];
  return digest !== undefined && isDigest(digest) ? digest : undefined;
}

/** The statements of an attestation's manifest, by their descriptors. */
export function readStatements(
  { layers }: { readonly layers: readonly Descriptor[] },
  read: (digest: Digest) => Uint8Array,
): readonly Statement[] {
  return layers.map(({ digest, annotations }) => {
    return { predicateType: annotations?.[PREDICATE_TYPE] ?? "", bytes: read(digest) };
  });
}

/** The statement about another manifest of the same image: a push gives images manifests with compressed layers. */
export function aboutManifest({ predicateType, bytes }: Statement, before: Digest, now: Digest): Statement {
  const statement: { readonly subject?: readonly { readonly digest: Readonly<Record<string, string>> }[] } = JSON.parse(
    Buffer.from(bytes).toString(),
  );
  const subject = (statement.subject ?? []).map((one) =>
    one.digest["sha256"] === digestHex(before) ? { ...one, digest: { sha256: digestHex(now) } } : one,
  );
  return { predicateType, bytes: Buffer.from(JSON.stringify({ ...statement, subject }, null, 2)) };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
