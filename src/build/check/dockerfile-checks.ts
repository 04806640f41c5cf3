import { IgnoreMatcher, parseDockerignore } from "#formats/dockerignore.ts";
import { hostPlatform, parsePlatform } from "#formats/platform.ts";
import type { Platform } from "#spec/oci-image.ts";
import type { BaseImage, BuildRequest } from "../builder.ts";
import { ContextNames } from "../graph/context-names.ts";
import { globalScope } from "../graph/global-scope.ts";
import { type PlannedStage, StagePlan } from "../graph/stage-plan.ts";
import type { VariableList } from "../graph/variables.ts";
import type { Dockerfile } from "../instructions/types.ts";
import { type CheckDirective, parseCheckDirective } from "../parse/check-directive.ts";
import { checkFile } from "./check-file.ts";
import { type CheckFinding, CheckFindings } from "./check-findings.ts";
import { type CheckedImage, checkFroms, checkStages } from "./check-stages.ts";

export type CheckedBuild = Pick<BuildRequest, "buildArgs" | "contexts" | "platforms" | "target">;

/** The images that stages stand on, by the stage's index. */
export type StageImages = ReadonlyMap<number, BaseImage>;

/** BuildKit's build checks, for one build. https://docs.docker.com/build/checks/ */
export class DockerfileChecks {
  readonly #dockerfile: Dockerfile;
  readonly #build: CheckedBuild;
  readonly #ignoreFile: string | undefined;
  readonly #findings: CheckFindings;

  /** Throws InvalidParameterError when BUILDKIT_DOCKERFILE_CHECK, which takes the place of `# check=`, is none. */
  constructor(dockerfile: Dockerfile, build: CheckedBuild, ignoreFile: string | undefined) {
    this.#dockerfile = dockerfile;
    this.#build = build;
    this.#ignoreFile = ignoreFile;
    this.#findings = new CheckFindings(directive(dockerfile, build));
  }

  get findings(): readonly CheckFinding[] {
    return this.#findings.all;
  }

  /** What the file alone tells. */
  ofFile(): void {
    checkFile(this.#dockerfile, this.#scope({}), this.#findings);
    checkFroms(this.#dockerfile, this.#scope(this.#build.buildArgs), this.#findings);
  }

  /** The stages to look into, as far as they can be planned: those that the target needs, or all. Throws as the build will. */
  plannedStages(all: boolean): readonly PlannedStage[] {
    const { contexts = {}, target } = this.#build;
    const platform = targetPlatform(this.#build);
    const plan = new StagePlan(this.#dockerfile, {
      scope: this.#scope(this.#build.buildArgs),
      platform,
      contexts: new ContextNames(contexts),
    });
    const chosen = plan.target(target);
    const stages = all && target === "" ? plan.stages : plan.reachable(chosen);
    return stages.filter((stage) => !stage.isCopiedImage);
  }

  /** What stands in the stages, with the settings of the images below them. */
  ofStages(stages: readonly PlannedStage[], images: StageImages): void {
    const { buildArgs } = this.#build;
    const surroundings = {
      scope: this.#scope(buildArgs),
      buildArgs,
      // A stage that a context replaces has no instructions left.
      stages: new Set(stages.filter(({ instructions }) => instructions.length > 0).map(({ index }) => index)),
      images: new Map(stages.flatMap((stage) => checkedImage(stage, images.get(stage.index)))),
      ignores: ignoreTest(this.#ignoreFile),
    };
    checkStages(this.#dockerfile, surroundings, this.#findings);
  }

  /** Throws InvalidParameterError when findings are to fail the build. */
  refuse(): void {
    this.#findings.refuse();
  }

  #scope(buildArgs: Readonly<Record<string, string>>): VariableList {
    const { stages } = this.#dockerfile;
    return globalScope(this.#dockerfile, {
      buildArgs,
      buildPlatform: hostPlatform(),
      targetPlatform: targetPlatform(this.#build),
      targetStage: this.#build.target === "" ? (stages.at(-1)?.name ?? "") : this.#build.target,
    });
  }
}

function directive(dockerfile: Dockerfile, { buildArgs }: CheckedBuild): CheckDirective {
  const given = buildArgs["BUILDKIT_DOCKERFILE_CHECK"];
  return given === undefined ? dockerfile.check : parseCheckDirective(given);
}

/** Of several, the first: as BuildKit, each finding is told once. */
function targetPlatform({ platforms: [platform] }: CheckedBuild): Platform {
  return platform === undefined ? hostPlatform() : parsePlatform(platform);
}

function checkedImage(
  { index, platform }: PlannedStage,
  image: BaseImage | undefined,
): readonly (readonly [number, CheckedImage])[] {
  if (!image || image.isMissing) return [];
  const { config } = image;
  return [[index, { wanted: platform, platform: config, config: config.config ?? {} }]];
}

/** Patterns that leave nothing of the context. */
const EVERYTHING = ["*", "**", "**/*"];

/** Whether .dockerignore leaves a path out; undefined without one, and for one with `!` lines, of which a directory does not tell. */
function ignoreTest(text: string | undefined): ((path: string) => boolean) | undefined {
  const patterns = parseDockerignore(text ?? "");
  if (patterns.length === 0 || patterns.some(({ keep }) => keep)) return undefined;
  const matcher = new IgnoreMatcher(patterns);
  const isEverything = patterns.some((pattern) => EVERYTHING.includes(pattern.text));
  return (path) => (path === "" ? isEverything : matcher.ignores(path.replace(/^\//, "")));
}
