import { CancelledError, errorMessage } from "#errors/errors.ts";
import type { BuildOutline, CheckResult, TargetList } from "#spec/build-check.ts";
import type { BaseImage, BuildRequest } from "../builder.ts";
import type { PlannedStage } from "../graph/stage-plan.ts";
import type { Dockerfile } from "../instructions/types.ts";
import type { SourceRange } from "../parse/source.ts";
import { DockerfileChecks } from "./dockerfile-checks.ts";
import { type CalledFile, checkResult, type FrontendCall, listTargets, outline } from "./frontend-calls.ts";

export type CallResult = CheckResult | BuildOutline | TargetList;

export interface CallParts {
  readonly request: BuildRequest;
  readonly bytes: Uint8Array;
  /** Parses the Dockerfile. Throws DockerfileError. */
  readonly load: () => Promise<Dockerfile>;
  /** The image that a stage stands on, of which only the config counts. */
  readonly configOf: (stage: PlannedStage) => Promise<BaseImage>;
  readonly ignoreFile: string | undefined;
}

/** Answers what a Dockerfile can be asked instead of being built. Only `lint` needs images. */
export async function answerCall(call: FrontendCall, parts: CallParts): Promise<CallResult> {
  const file = { name: parts.request.dockerfileName, bytes: parts.bytes };
  if (call === "lint") return await lint(file, parts);
  const dockerfile = await parts.load();
  if (call === "targets") return listTargets(file, dockerfile);
  const { request, ignoreFile } = parts;
  const stages = new DockerfileChecks(dockerfile, request, ignoreFile).plannedStages(false);
  const named = stages.find(({ name }) => name !== "" && name === request.target.toLowerCase());
  const target = request.target === "" ? stages.at(-1) : named;
  return outline(file, dockerfile, { stages, target, buildArgs: request.buildArgs });
}

/** A Dockerfile that cannot be built is looked through as far as it goes. */
async function lint(file: CalledFile, { request, load, configOf, ignoreFile }: CallParts): Promise<CheckResult> {
  let checks: DockerfileChecks | undefined;
  try {
    const dockerfile = await load();
    checks = new DockerfileChecks(dockerfile, request, ignoreFile);
    checks.ofFile();
    const stages = checks.plannedStages(true);
    const onImages = stages.filter(({ reference }) => reference !== "");
    const found = await Promise.all(onImages.map(async (stage) => [stage.index, await configOf(stage)] as const));
    checks.ofStages(stages, new Map(found));
    checks.refuse();
    return checkResult(file, checks.findings);
  } catch (error) {
    if (error instanceof CancelledError || request.signal.aborted) throw error;
    return checkResult(file, checks?.findings ?? [], { message: errorMessage(error), source: sourceOf(error) });
  }
}

function sourceOf(error: unknown): SourceRange | undefined {
  const { place, startLine, endLine } = error as {
    readonly place?: { readonly source?: SourceRange };
  } & Partial<SourceRange>;
  if (place?.source) return place.source;
  return startLine === undefined || endLine === undefined ? undefined : { startLine, endLine };
}
