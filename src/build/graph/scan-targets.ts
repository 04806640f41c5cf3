import type { Dockerfile, Stage } from "../instructions/types.ts";

/** ARGs that speak to the builder alone: commands do not see them. https://docs.docker.com/build/metadata/attestations/sbom/ */
export const SCAN_ARGS = { context: "BUILDKIT_SBOM_SCAN_CONTEXT", stage: "BUILDKIT_SBOM_SCAN_STAGE" } as const;

/** What an SBOM is to look through besides the result. */
export interface ScanTargets {
  readonly context: boolean;
  /** Names of stages, as `--target` takes them. */
  readonly stages: readonly string[];
}

export interface ScannedBuild {
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Index of the stage that is built. */
  readonly target: number;
  /** Indexes of the stages that it needed: what is not built is not scanned. */
  readonly reached: ReadonlySet<number>;
}

/**
 * What a Dockerfile wants scanned. An ARG before the first FROM speaks for all stages, one in a stage for this one; a build argument counts only where one of them declares it.
 * Its value is a boolean or a list of stages.
 * https://github.com/moby/buildkit/blob/master/frontend/dockerfile/dockerfile2llb/convert.go (SBOMTargets, isEnabledForStage)
 */
export function scanTargets(dockerfile: Dockerfile, { buildArgs, target, reached }: ScannedBuild): ScanTargets {
  const isWanted = (stage: Stage, key: string): boolean => {
    const own = lastArg(stage.instructions, key);
    const global = lastArg(dockerfile.globalArgs, key);
    if (!own && !global) return false;
    return isEnabled(buildArgs[key] ?? own?.value ?? global?.value ?? "", stageName(stage));
  };
  const built = dockerfile.stages[target];
  return {
    context: built !== undefined && isWanted(built, SCAN_ARGS.context),
    stages: dockerfile.stages
      .filter((stage) => stage.index !== target && reached.has(stage.index) && isWanted(stage, SCAN_ARGS.stage))
      .map(stageName),
  };
}

/** What a stage is called that its Dockerfile gives no name. */
export function stageName({ name, index }: Pick<Stage, "name" | "index">): string {
  return name === "" ? `stage-${index}` : name;
}

function lastArg(
  instructions: Dockerfile["globalArgs"] | Stage["instructions"],
  name: string,
): { readonly value?: string | undefined } | undefined {
  return instructions
    .flatMap((instruction) => (instruction.kind === "arg" ? instruction.args : []))
    .findLast(({ key }) => key === name);
}

function isEnabled(value: string, stage: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(value)) return true;
  return value.split(",").some((name) => name.toLowerCase() === stage.toLowerCase());
}
