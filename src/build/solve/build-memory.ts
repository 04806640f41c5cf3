import type { BuildStep, FailedRoot } from "#spec/build-record.ts";
import type { Digest } from "#spec/digest.ts";

/**
 * What a build remembers of its predecessors (so that it can say why a step runs) and leaves to its successors. The engine keeps it in its
 * build records; `build` only declares what it needs.
 */
export interface BuildMemory {
  /** The steps of former builds of the same Dockerfile, context and target, the latest build first. Read when a step misses, not before. */
  former(): readonly (readonly BuildStep[])[];
  /** The list of files behind a content digest, where it was kept. */
  manifest(content: Digest): string | undefined;
  keepManifest(content: Digest, manifest: string): void;
  /** Each step once, when its outcome is known. */
  report(step: BuildStep): void;
  /** A RUN has failed and left this; called before its report. */
  failed?(root: FailedRoot): void;
}

/** `[build 2/5] RUN make`, or `[linux/amd64 build 2/5] RUN make`, in its parts. */
export interface StepName {
  /** With the platform in front of it in a build for several; "" in a file of one stage. */
  readonly stage: string;
  /** `2/5`, or `build 2/5`; "" for a step that is not counted. */
  readonly label: string;
  readonly text: string;
}

export function parseStepName(name: string): StepName {
  const match = /^\[(?:(\S+(?: \S+)?) +)?\s*(\d+\/\d+)\] ([\s\S]*)$/.exec(name);
  if (!match) return { stage: "", label: "", text: name };
  const [, stage = "", place = "", text = ""] = match;
  return { stage, label: stage === "" ? place : `${stage} ${place}`, text };
}
