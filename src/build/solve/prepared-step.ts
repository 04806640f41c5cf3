import type { Digest } from "#spec/digest.ts";
import type { Platform } from "#spec/oci-image.ts";
import type { CopyStep, RunStep, Step, WorkdirStep } from "../graph/graph-types.ts";
import { type CacheKey, type CopySourceKey, copyKey, runKey, workdirKey } from "./cache-key.ts";
import type { CopySource } from "./copy-source.ts";
import type { SolvedLayer } from "./solver-types.ts";
import type { MountSource, StepSources } from "./step-sources.ts";

/** A step, and what it reads: its key depends on that. */
export type PreparedStep =
  | {
      readonly kind: "run";
      readonly step: RunStep;
      readonly platform: Platform;
      readonly mounts: readonly MountSource[];
    }
  | { readonly kind: "workdir"; readonly step: WorkdirStep }
  | { readonly kind: "copy"; readonly step: CopyStep; readonly files: CopySource };

/** A step over the layers that it stands on: its place in the cache. */
export interface KeyedStep {
  readonly prepared: PreparedStep;
  /** Bottom first; none for one that is linked. */
  readonly below: readonly SolvedLayer[];
  /** What they are, for keys. */
  readonly root: Digest;
  readonly key: CacheKey;
}

/** Finds out what a step reads. */
export async function prepareStep(step: Step, platform: Platform, sources: StepSources): Promise<PreparedStep> {
  switch (step.kind) {
    case "run":
      return { kind: "run", step, platform, mounts: await sources.mounts(step) };
    case "workdir":
      return { kind: "workdir", step };
    case "copy":
      return { kind: "copy", step, files: await sources.copy(step) };
  }
}

/** Its key over a root. */
export function keyOfStep(prepared: PreparedStep, root: Digest, extraHosts: readonly string[]): CacheKey {
  switch (prepared.kind) {
    case "run":
      return runKey(prepared.step, root, prepared.platform, extraHosts, keysRead(prepared));
    case "workdir":
      return workdirKey(prepared.step, root);
    case "copy":
      return copyKey(prepared.step, root, prepared.files.keys);
  }
}

/** The keys of the files that it reads. */
export function keysRead(prepared: PreparedStep): readonly CopySourceKey[] {
  if (prepared.kind === "copy") return prepared.files.keys;
  return prepared.kind === "run" ? prepared.mounts.map(({ key }) => key) : [];
}
