import type { StepLimits } from "../builder.ts";
import type { CopyStep, RunStep } from "./graph-types.ts";

/**
 * What the steps of one stage have that a Dockerfile has no words for. Only of a Dockerfile that Berth wrote itself to say what a definition of LLB says; there a stage is one
 * operation. All of it is part of the steps' keys, but for proxies.
 */
export interface StageSettings {
  readonly hostname?: string;
  /** `name:ip`, besides the build's own. */
  readonly extraHosts?: readonly string[];
  readonly ulimits?: StepLimits["ulimits"];
  readonly cgroupParent?: string;
  /** `NAME=value`, in place of the build's own. */
  readonly proxyEnv?: readonly string[];
  /** With which a command has succeeded; absent: 0. */
  readonly exitCodes?: readonly number[];
  /** Of copies: patterns as in .dockerignore, in place of the instruction's. */
  readonly exclude?: readonly string[];
  /** Of copies: archives become their content. */
  readonly unpack?: boolean;
  /** Of copies: seconds since the epoch. */
  readonly mtime?: number;
}

/** By the names of stages. */
export type SettingsOfStages = ReadonlyMap<string, StageSettings>;

/** A command with what its stage's settings add. */
export function settledRun(step: RunStep, settings: StageSettings): RunStep {
  const { hostname, proxyEnv, extraHosts = [], ulimits = [], cgroupParent, exitCodes } = settings;
  const own = {
    ...(extraHosts.length > 0 ? { extraHosts } : {}),
    ...(ulimits.length > 0 ? { ulimits } : {}),
    ...(cgroupParent ? { cgroupParent } : {}),
    ...(exitCodes ? { exitCodes } : {}),
  };
  return {
    ...step,
    ...(hostname ? { hostname } : {}),
    ...(proxyEnv ? { proxyEnv } : {}),
    ...(Object.keys(own).length > 0 ? { own } : {}),
  };
}

/** A copy with what its stage's settings add. */
export function settledCopy(step: CopyStep, { exclude, unpack, mtime }: StageSettings): CopyStep {
  return {
    ...step,
    ...(exclude ? { exclude } : {}),
    ...(unpack ? { unpack: { ...step.unpack, local: true } } : {}),
    ...(mtime === undefined ? {} : { mtime }),
  };
}
