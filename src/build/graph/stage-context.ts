import type { Entitlement } from "../build-client.ts";
import type { CommandLine } from "../instructions/types.ts";
import type { EscapeCharacter } from "../parse/source.ts";
import type { StageGraph } from "./graph-types.ts";
import type { ImageDraft } from "./image-draft.ts";
import type { PlannedStage } from "./stage-plan.ts";
import type { SettingsOfStages } from "./stage-settings.ts";
import type { BuildDevices } from "./step-devices.ts";
import type { StepNamer } from "./step-name.ts";
import type { VariableList } from "./variables.ts";

/** What all stages of one build share. */
export interface CompileOptions {
  readonly escape: EscapeCharacter;
  readonly globalScope: VariableList;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly proxyEnv: readonly string[];
  readonly networkMode: string;
  /** SOURCE_DATE_EPOCH, seconds. */
  readonly epoch: number | undefined;
  readonly entitlements: readonly Entitlement[];
  readonly devices: BuildDevices;
  /** Put before the ids of cache mounts: BUILDKIT_CACHE_MOUNT_NS. */
  readonly cacheNamespace: string;
  readonly settings: SettingsOfStages;
  /** The compiled form of a stage that stands before this one. */
  readonly stageGraph: (stage: PlannedStage) => StageGraph | undefined;
}

/** The stage as it is when an instruction comes to it. */
export interface StageContext {
  readonly options: CompileOptions;
  readonly image: ImageDraft;
  readonly namer: StepNamer;
  readonly variables: VariableList;
  readonly buildArgs: readonly string[];
  /** What a command in shell form becomes. */
  wrap(command: CommandLine): readonly string[];
}
