import type { BuiltImage } from "#build/builder.ts";
import type { ProvenanceRequest } from "./provenance-request.ts";
import { type BuildFacts, type Predicate, slsaPredicate } from "./slsa-predicate.ts";

/** Tells where a build's images come from. */
export interface Attester {
  /** Only in images, not beside files. */
  readonly isInlineOnly: boolean;
  /** When the build ended, milliseconds since the epoch. */
  readonly finished: number;
  predicate(image: BuiltImage): Predicate;
}

/** Of a build that has ended. */
export function provenanceAttester(facts: BuildFacts, asked: ProvenanceRequest): Attester {
  return {
    isInlineOnly: asked.isInlineOnly,
    finished: facts.finished,
    predicate: (image) => slsaPredicate(facts, image, asked),
  };
}
