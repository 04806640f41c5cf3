import type { ContainerDefaults, HistoryEntry, Platform } from "#spec/oci-image.ts";
import type { BaseImage, StepLimits } from "../builder.ts";
import type { GitSource } from "../context/git-source.ts";
import type { RunDevice } from "../instructions/types.ts";
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
  /** All files of a named context. */
  | { readonly kind: "files"; readonly name: string; readonly stepName: string; readonly source: SourceRange }
  | {
      readonly kind: "image";
      readonly image: BaseImage;
      /** Canonical: docker.io/library/busybox:latest. */
      readonly reference: string;
      /** The one that was asked for. */
      readonly platform: Platform;
      /** `[1/3] FROM docker.io/library/busybox:latest`. */
      readonly name: string;
      readonly source: SourceRange;
    };

export type Step = RunStep | CopyStep | WorkdirStep;

/** What a step reads: a stage or image, or a context of files ("" is the build context, other names are `--build-context`). */
export type FilesOrigin =
  | { readonly kind: "files"; readonly name: string }
  | { readonly kind: "stage"; readonly stage: StageGraph };

interface StepBase {
  /** `[2/3] WORKDIR /app`. */
  readonly name: string;
  /** In a build for several platforms: which one of those that have this name; the first has none. */
  readonly variant?: number;
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
  readonly security: "sandbox" | "insecure";
  readonly mounts: readonly RunMount[];
  /** A heredoc that starts with `#!`: run as this file. */
  readonly script?: RunScriptFile;
  /** `--device`s as the Dockerfile asks for them. */
  readonly devices: readonly RunDevice[];
  /** Those that are here, by their whole names. */
  readonly grantedDevices: readonly string[];
  /** `--device`s that are not here and that the step can do without: it is told so. */
  readonly missingDevices: readonly string[];
  /** BUILDKIT_SANDBOX_HOSTNAME; absent: BuildKit's own name. */
  readonly hostname?: string;
  /** What this step has besides what all steps of the build have. */
  readonly own?: OwnSettings;
}

/** Of one command alone, as LLB has it. */
export interface OwnSettings {
  /** `name:ip`. */
  readonly extraHosts?: readonly string[];
  readonly ulimits?: StepLimits["ulimits"];
  readonly cgroupParent?: string;
  /** With which it has succeeded; absent: 0. */
  readonly exitCodes?: readonly number[];
}

/** `RUN --mount`, targets absolute and defaults filled in. */
export type RunMount =
  | BindStepMount
  | CacheStepMount
  | {
      readonly type: "tmpfs";
      readonly target: string;
      /** Bytes, 0 for no limit. */
      readonly size: number;
      readonly readOnly: boolean;
    }
  | SecretStepMount
  | SshStepMount;

export interface BindStepMount {
  readonly type: "bind";
  readonly target: string;
  readonly from: FilesOrigin;
  /** Clean, relative; "" is everything. */
  readonly source: string;
  /** What a step writes to a mount that is not read-only is dropped when it ends. */
  readonly readOnly: boolean;
}

export interface CacheStepMount {
  readonly type: "cache";
  readonly target: string;
  /** With the namespace in front of it. */
  readonly id: string;
  /** What a new cache begins with. */
  readonly from: FilesOrigin | undefined;
  readonly source: string;
  readonly readOnly: boolean;
  readonly sharing: "shared" | "private" | "locked";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface SecretStepMount {
  readonly type: "secret";
  readonly id: string;
  /** "" for an environment variable alone. */
  readonly target: string;
  /** "" for none. */
  readonly env: string;
  readonly required: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface SshStepMount {
  readonly type: "ssh";
  readonly id: string;
  readonly target: string;
  readonly required: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface RunScriptFile {
  /** Absolute path in the container. */
  readonly path: string;
  readonly content: string;
}

export interface CopyStep extends StepBase {
  readonly kind: "copy";
  /** Where the paths among the sources are looked up. */
  readonly from: FilesOrigin;
  readonly sources: readonly CopyArgument[];
  readonly inlineFiles: readonly InlineFile[];
  /** Absolute; a trailing slash says that it is a directory. */
  readonly destination: string;
  readonly chown: string;
  readonly chmod: string;
  readonly exclude: readonly string[];
  /** Archives become their content: those of the context, and those behind URLs. */
  readonly unpack: { readonly local: boolean; readonly remote: boolean };
  /** `--link`: the layer does not depend on what lies below. */
  readonly link: boolean;
  /** Time of all files, seconds since the epoch; absent: their own. SOURCE_DATE_EPOCH. */
  readonly mtime?: number;
}

export type CopyArgument = PathArgument | RemoteArgument;

/** A path or glob. */
export interface PathArgument {
  readonly kind: "path";
  readonly path: string;
  /** `--parents`: what below `path` is copied, with its directories. */
  readonly parents?: {
    readonly pattern: string;
    /** The pattern holds no wildcard: what it names must be there. */
    readonly isRequired: boolean;
  };
}

export type RemoteArgument =
  | {
      readonly kind: "http";
      readonly url: string;
      /** "" for none. */
      readonly checksum: string;
    }
  | { readonly kind: "git"; readonly source: GitSource };

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
  /** As CopyStep's. */
  readonly mtime?: number;
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
