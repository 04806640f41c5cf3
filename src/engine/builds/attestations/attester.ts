import type { BuiltImage } from "#build/builder.ts";
import type { Predicate } from "#engine/images/attestation-manifest.ts";
import type { Digest } from "#spec/digest.ts";
import type { AttestedKind } from "../outputs/build-output.ts";
import type { ProvenanceRequest } from "./attestation-requests.ts";
import { type BuildFacts, slsaPredicate } from "./slsa-predicate.ts";

/** One thing that is attested of an image. */
export interface Attested {
  /** The name of its file beside an image's files, without an ending. */
  readonly name: string;
  readonly predicate: Predicate;
  /** Only in what is pushed. */
  readonly isInlineOnly: boolean;
}

/** Tells what a build attests of its images. */
export interface Attester {
  /** When the build ended, milliseconds since the epoch. */
  readonly finished: number;
  of(image: BuiltImage): readonly Attested[];
}

/** What of it an output of that kind has beside it. */
export function attesterFor(attester: Attester | undefined, kind: AttestedKind): Attester | undefined {
  if (!attester || kind === "none") return undefined;
  if (kind === "all") return attester;
  return { ...attester, of: (image) => attester.of(image).filter(({ isInlineOnly }) => !isInlineOnly) };
}

export interface AttesterParts {
  /** Of a build that has ended. */
  readonly facts: BuildFacts;
  readonly provenance: ProvenanceRequest | undefined;
  /** What scanners found, by the image's id. */
  readonly scans: ReadonlyMap<Digest, readonly Attested[]>;
}

export function buildAttester({ facts, provenance, scans }: AttesterParts): Attester {
  return {
    finished: facts.finished,
    of: (image) => {
      const found = scans.get(image.id) ?? [];
      if (!provenance) return found;
      const predicate = slsaPredicate(facts, image, provenance);
      return [...found, { name: "provenance", predicate, isInlineOnly: provenance.isInlineOnly }];
    },
  };
}
