import type { ContainerDefaults, HistoryEntry, Platform } from "#spec/oci-image.ts";
import type { BaseImage } from "../builder.ts";
import type { SourceRange } from "../parse/source.ts";
import type { VariableList } from "./variables.ts";

/**
 * What is to be built, without any idea of containers or layers: stages that stand on an image, on nothing or on one another,
 * each with the steps that make layers. Everything else that an instruction says has become part of `image`. All values are
 * expanded. The solver walks it, the ops carry its steps out.
 */
export interface StageGraph {
  /** Place among the stages; images named by `COPY --from` come behind those of the file. */
  readonly index: number;
  readonly base: StageBase;
  readonly steps: readonly Step[];
  /** The image as it is after the last step. */
  readonly image: StageImage;
  /** What a stage that builds on this one continues from. */
  readonly scope: StageScope;
  /** `FROM` and what follows it, as written, each with the step that it became: metadata becomes none. */
  readonly listing: readonly ListedInstruction[];
}

export interface ListedInstruction {
  readonly text: string;
  readonly step?: Step;
}

export type StageBase =
  | { readonly kind: "scratch" }
  | { readonly kind: "stage"; readonly stage: StageGraph }
  | {
      readonly kind: "image";
      readonly image: BaseImage;
      /** Canonical: docker.io/library/busybox:latest. */
      readonly reference: string;
      /** `[1/3] FROM docker.io/library/busybox:latest`. */
      readonly name: string;
      readonly source: SourceRange;
    };

export type Step = RunStep | CopyStep | WorkdirStep;

interface StepBase {
  /** `[2/3] WORKDIR /app`. */
  readonly name: string;
  readonly source: SourceRange;
}

export interface RunStep extends StepBase {
  readonly kind: "run";
  /** Complete, SHELL included. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Predefined proxy variables: given to the process, kept out of cache key and history. */
  readonly proxyEnv: readonly string[];
  readonly cwd: string;
  readonly user: string;
  /** "default", "none" or "host". */
  readonly network: string;
  /** A heredoc that starts with `#!`: run as this file. */
  readonly script?: RunScriptFile;
}

export interface RunScriptFile {
  /** Absolute path in the container. */
  readonly path: string;
  readonly content: string;
}

export interface CopyStep extends StepBase {
  readonly kind: "copy";
  /** Undefined: the build context. */
  readonly from: StageGraph | undefined;
  /** Paths and globs in the source. */
  readonly sources: readonly string[];
  readonly inlineFiles: readonly InlineFile[];
  /** Absolute; a trailing slash says that it is a directory. */
  readonly destination: string;
  readonly chown: string;
  readonly chmod: string;
  readonly exclude: readonly string[];
  /** ADD: local tar archives become their content. */
  readonly unpack: boolean;
}

export interface InlineFile {
  readonly name: string;
  readonly content: string;
}

export interface WorkdirStep extends StepBase {
  readonly kind: "workdir";
  /** Absolute and clean. */
  readonly path: string;
  /** Owner of the directories that are made: the stage's USER, "" for root. */
  readonly user: string;
}

export interface StageImage {
  readonly platform: Platform;
  readonly author?: string;
  readonly config: ContainerDefaults;
  /** Entries of the base first. Those of steps have no `created` yet: the cache knows it. */
  readonly history: readonly HistoryEntry[];
}

export interface StageScope {
  readonly variables: VariableList;
  /** ARGs declared so far, in order: RUN's history shows them. */
  readonly buildArgs: readonly string[];
}
