import { allEnded } from "#lib/all-ended.ts";
import type { Platform } from "#spec/oci-image.ts";
import type { Entitlement, NamedContexts } from "../build-client.ts";
import { type ErrorPlace, locate } from "../build-error.ts";
import type { BaseImage, UsedImage } from "../builder.ts";
import type { Dockerfile } from "../instructions/types.ts";
import { compileStage } from "./compile-stage.ts";
import { ContextNames } from "./context-names.ts";
import { globalScope, proxyEnvironment } from "./global-scope.ts";
import type { FilesOrigin, StageBase, StageGraph, Step } from "./graph-types.ts";
import { type PlannedStage, StagePlan } from "./stage-plan.ts";
import type { SettingsOfStages } from "./stage-settings.ts";
import { type BuildDevices, NO_DEVICES } from "./step-devices.ts";
import { StepNamer } from "./step-name.ts";

export interface GraphOptions {
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly target: string;
  readonly networkMode: string;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  /** It is one of several: names of steps tell the platform. */
  readonly isOneOfSeveral?: boolean;
  readonly contexts?: NamedContexts;
  /** SOURCE_DATE_EPOCH, seconds. */
  readonly epoch?: number | undefined;
  readonly entitlements?: readonly Entitlement[];
  readonly settings?: SettingsOfStages | undefined;
  /** Absent: the host has none. */
  readonly devices?: BuildDevices;
  /** Called once per reference and platform that the target needs; several at once. */
  readonly resolveImage: (stage: PlannedStage) => Promise<BaseImage>;
  /** Aborted when one image cannot be had: the others are not waited for. */
  readonly stop: AbortController;
}

/**
 * Compiles a Dockerfile to the graph of its target stage: plans the stages, resolves the images that the target needs (a base
 * may bring ONBUILD triggers, and these further stages), and applies each stage's instructions to its base.
 * Throws LocatedError or DockerfileError, and what `resolveImage` throws.
 */
export async function buildGraph(dockerfile: Dockerfile, options: GraphOptions): Promise<StageGraph> {
  const scope = globalScope(dockerfile, {
    ...options,
    targetStage: options.target === "" ? (dockerfile.stages[dockerfile.stages.length - 1]?.name ?? "") : options.target,
  });
  const plan = new StagePlan(dockerfile, {
    scope,
    platform: options.targetPlatform,
    contexts: new ContextNames(options.contexts ?? {}),
  });
  const target = plan.target(options.target);
  const images = await resolveBases(plan, target, options);
  const graphs = new Map<PlannedStage, StageGraph>();
  const compileOptions = {
    escape: dockerfile.escape,
    globalScope: scope,
    buildArgs: options.buildArgs,
    proxyEnv: proxyEnvironment(options.buildArgs),
    networkMode: options.networkMode,
    epoch: options.epoch,
    entitlements: options.entitlements ?? [],
    devices: options.devices ?? NO_DEVICES,
    settings: options.settings ?? new Map(),
    cacheNamespace: options.buildArgs["BUILDKIT_CACHE_MOUNT_NS"] ?? "",
    stageGraph: (stage: PlannedStage) => graphs.get(stage),
  };
  for (const stage of inBuildOrder(plan.reachable(target))) {
    const namer = new StepNamer(stage, options.isOneOfSeveral ?? false);
    graphs.set(stage, compileStage(stage, baseOf(stage, graphs, images, namer), namer, compileOptions));
  }
  return graphs.get(target) as StageGraph;
}

/** `targets` and every stage that they stand on or copy from, each once. */
export function reachableStages(targets: readonly StageGraph[]): readonly StageGraph[] {
  const seen = new Set<StageGraph>();
  const visit = (stage: StageGraph): void => {
    if (seen.has(stage)) return;
    seen.add(stage);
    if (stage.base.kind === "stage") visit(stage.base.stage);
    for (const origin of stage.steps.flatMap(originsOf)) if (origin.kind === "stage") visit(origin.stage);
  };
  for (const target of targets) visit(target);
  return [...seen];
}

/** The images that a stage needs, each once. */
export function imagesUsed(target: StageGraph): readonly UsedImage[] {
  const used = reachableStages([target]).flatMap(({ base }): readonly UsedImage[] => {
    if (base.kind !== "image") return [];
    const { reference, platform, image } = base;
    return [{ reference, platform, manifestDigest: image.manifestDigest }];
  });
  return [...new Map(used.map((image) => [JSON.stringify(image), image])).values()];
}

/** What a step reads besides the root below it. */
export function originsOf(step: Step): readonly FilesOrigin[] {
  if (step.kind === "copy") return [step.from];
  if (step.kind !== "run") return [];
  return step.mounts.flatMap((mount) =>
    (mount.type === "bind" || mount.type === "cache") && mount.from ? [mount.from] : [],
  );
}

/** Resolves images and applies their triggers until no new stage is needed. */
async function resolveBases(
  plan: StagePlan,
  target: PlannedStage,
  { resolveImage, stop }: Pick<GraphOptions, "resolveImage" | "stop">,
): Promise<ReadonlyMap<PlannedStage, BaseImage>> {
  const images = new Map<PlannedStage, BaseImage>();
  const triggered = new Set<PlannedStage>();
  for (let again = true; again; ) {
    const stages = plan.reachable(target);
    const missing = stages.filter((stage) => stage.reference !== "" && !images.has(stage));
    const resolved = missing.map(async (stage) => {
      try {
        images.set(stage, await resolveImage(stage));
      } catch (error) {
        throw locate(error, stepThatNeeds(stage, stages));
      }
    });
    await allEnded(resolved, stop);
    again = false;
    for (const stage of stages) {
      if (triggered.has(stage)) continue;
      triggered.add(stage);
      again = plan.addTriggers(stage, triggersFor(stage, images)) || again;
    }
  }
  return images;
}

/** The instruction that names the image of `missing`: a FROM, or what copies from it. `stages` are all that are needed. */
function stepThatNeeds(missing: PlannedStage, stages: readonly PlannedStage[]): ErrorPlace {
  const steps = stages
    .filter((stage) => !stage.isCopiedImage)
    .flatMap((stage) => [
      { text: stage.text, needs: stage },
      ...stage.instructions.map(({ instruction, from }) => ({
        text: instruction.text,
        needs: from.find((origin) => origin?.kind === "stage" && origin.stage === missing) && missing,
      })),
    ]);
  const at = steps.findIndex(({ needs }) => needs === missing);
  const step = steps[at];
  return step ? { step: { text: step.text, number: at + 1, count: steps.length } } : {};
}

/** ONBUILD of the image below, or of the stage below. An image that is only copied from triggers nothing. */
function triggersFor(stage: PlannedStage, images: ReadonlyMap<PlannedStage, BaseImage>): readonly string[] {
  if (stage.isCopiedImage) return [];
  if (stage.base) {
    return stage.base.instructions.flatMap(({ instruction }) =>
      instruction.kind === "onbuild" ? [instruction.trigger] : [],
    );
  }
  return images.get(stage)?.config.config?.OnBuild ?? [];
}

/** Images that are only copied from have no instructions and may be read by any stage: they come first. */
function inBuildOrder(stages: readonly PlannedStage[]): readonly PlannedStage[] {
  return [...stages.filter((stage) => stage.isCopiedImage), ...stages.filter((stage) => !stage.isCopiedImage)];
}

function baseOf(
  stage: PlannedStage,
  graphs: ReadonlyMap<PlannedStage, StageGraph>,
  images: ReadonlyMap<PlannedStage, BaseImage>,
  namer: StepNamer,
): StageBase {
  const below = stage.base && graphs.get(stage.base);
  if (below) return { kind: "stage", stage: below };
  if (stage.context?.kind === "files") {
    const name = `[context ${stage.context.name}] load from client`;
    return { kind: "files", name: stage.context.name, stepName: name, source: stage.source };
  }
  const image = images.get(stage);
  if (!image) return { kind: "scratch" };
  const digest = image.manifestDigest === undefined ? "" : `@${image.manifestDigest}`;
  const { reference, platform, source } = stage;
  const shown = reference.includes("@") ? reference : reference + digest;
  return { kind: "image", image, reference, platform, name: namer.next(`FROM ${shown}`), source };
}
