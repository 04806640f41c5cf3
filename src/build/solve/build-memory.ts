import type { Digest } from "#spec/digest.ts";

/**
 * What a build remembers of its predecessors (so that it can say why a step runs) and leaves to its successors. The engine keeps it in its
 * build records; `build` only declares what it needs.
 */
export interface BuildMemory {
  /** The steps of former builds of the same Dockerfile, context and target, the latest build first. Read when a step misses, not before. */
  former(): readonly (readonly StepReport[])[];
  /** The list of files behind a content digest, where it was kept. */
  manifest(content: Digest): string | undefined;
  keepManifest(content: Digest, manifest: string): void;
  /** Each step once, when its outcome is known. */
  report(step: StepReport): void;
}

/** How a step of a build ended, or in a plan: how it would. */
export type StepOutcome = "cached" | "ran" | "failed" | "canceled";

/** One step of a build. Times are milliseconds since the epoch. */
export interface StepReport {
  /** `[2/3] WORKDIR /app`. */
  readonly name: string;
  readonly kind: "from" | "run" | "copy" | "workdir";
  readonly outcome: StepOutcome;
  /** Why it was not taken from the cache, most telling first; empty when it was, or nothing is known of a former build. */
  readonly reasons: readonly string[];
  readonly started: number;
  readonly completed: number;
  /** Absent for FROM, and for a step that failed before its key was known. */
  readonly key?: Digest;
  /** JSON of all that went into the key (cache-key.ts); for FROM {@link FromInputs}; "" without a key. */
  readonly inputs: string;
  /** COPY: the source arguments as they are in the Dockerfile, to name files by. */
  readonly sources?: readonly string[];
  readonly diffId?: Digest;
  /** Bytes of the files of its layer. */
  readonly size?: number;
}

/** What a {@link StepReport} of kind `from` has in `inputs`. */
export interface FromInputs {
  readonly reference: string;
  /** Manifest digest where it is known, else the image's id. */
  readonly digest: string;
}

/** `[build 2/5] RUN make` in its parts. */
export interface StepName {
  /** "" in a file of one stage. */
  readonly stage: string;
  /** `2/5`, or `build 2/5`; "" for a step that is not counted. */
  readonly label: string;
  readonly text: string;
}

export function parseStepName(name: string): StepName {
  const match = /^\[(?:(\S+) +)?\s*(\d+\/\d+)\] ([\s\S]*)$/.exec(name);
  if (!match) return { stage: "", label: "", text: name };
  const [, stage = "", place = "", text = ""] = match;
  return { stage, label: stage === "" ? place : `${stage} ${place}`, text };
}
