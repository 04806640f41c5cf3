import type { CheckDirective } from "../parse/check-directive.ts";
import type { Heredoc } from "../parse/heredoc.ts";
import type { EscapeCharacter, SourceRange } from "../parse/source.ts";

/**
 * What a Dockerfile says, typed: `parse/` makes logical lines of its bytes, `parse-dockerfile.ts` makes these of the lines, and
 * the graph is built from them. Strings are as written, variables not yet expanded, quotes kept where the shell-word rules apply;
 * `expand.ts` returns the same types with the values in place. https://docs.docker.com/reference/dockerfile/
 */

export interface Dockerfile {
  readonly escape: EscapeCharacter;
  /** Value of `# syntax=`, "" if absent: noted, not followed. */
  readonly syntax: string;
  /** `# check=`. */
  readonly check: CheckDirective;
  /** `ARG` before the first `FROM`: visible to `FROM`, and to a stage that declares the name again. */
  readonly globalArgs: readonly ArgInstruction[];
  /** At least one. */
  readonly stages: readonly Stage[];
  readonly warnings: readonly DockerfileWarning[];
  /** The physical lines without their line ends: what error frames quote. */
  readonly lines: readonly string[];
}

export interface DockerfileWarning {
  readonly source: SourceRange;
  readonly message: string;
}

/** One `FROM` and what follows it. */
export interface Stage {
  readonly index: number;
  /** Lower-cased name of `AS`, "" if it has none. */
  readonly name: string;
  /** Image, earlier stage or "scratch", as written: may hold variables. */
  readonly base: string;
  /** Value of `--platform`, "" if absent: may hold variables. */
  readonly platform: string;
  readonly source: SourceRange;
  /** The `FROM` line, continuations joined. */
  readonly text: string;
  readonly instructions: readonly Instruction[];
}

interface InstructionBase {
  readonly source: SourceRange;
  /** The instruction as written, continuation lines joined, without heredoc bodies: what step names show. */
  readonly text: string;
}

/** A command in its shell form (one string for the SHELL) or its exec form (a JSON array). */
export type CommandLine =
  | { readonly form: "shell"; readonly line: string }
  | { readonly form: "exec"; readonly args: readonly string[] };

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** `RUN --device=NAME[,required]`. */
export interface RunDevice {
  /** `vendor.com/class[=name]`. */
  readonly name: string;
  readonly required: boolean;
}

export interface RunInstruction extends InstructionBase {
  readonly kind: "run";
  readonly command: CommandLine;
  /**
   * Heredocs of the shell form. `scriptOf` (run-script.ts) turns line and heredocs into what the shell or `#!` gets.
   */
  readonly heredocs: readonly Heredoc[];
  /** For `parseMounts` (mounts.ts), once variables are known. */
  readonly mounts: readonly MountSpec[];
  readonly network: "default" | "none" | "host";
  readonly security: "sandbox" | "insecure";
  readonly devices: readonly RunDevice[];
}

/** `--mount=…` as written. `from` is known at once because it decides the graph and may not hold variables. */
export interface MountSpec {
  readonly text: string;
  /** Stage, context or image; "" if absent. */
  readonly from: string;
}

interface MountBase {
  /** Path in the container; relative ones join the working directory. "" where the type has a default of its own. */
  readonly target: string;
  readonly readOnly: boolean;
}

export type Mount =
  | (MountBase & { readonly type: "bind"; readonly from: string; readonly source: string })
  | (MountBase & {
      readonly type: "cache";
      /** Identity of the cache directory; "" means the target. */
      readonly id: string;
      readonly from: string;
      readonly source: string;
      readonly sharing: "shared" | "private" | "locked";
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    })
  | (MountBase & { readonly type: "tmpfs" /** Bytes, 0 for no limit. */; readonly size: number })
  | (MountBase & {
      readonly type: "secret" | "ssh";
      readonly id: string;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      /** Secret only: the environment variable to set, "" for none. */
      readonly env: string;
    });

interface CopyLike extends InstructionBase {
  /** Context paths, globs or (ADD) URLs, without the heredocs. */
  readonly sources: readonly string[];
  readonly destination: string;
  /** Inline files, in their order; named by their word. */
  readonly heredocs: readonly Heredoc[];
  /** `user[:group]`, "" if absent. */
  readonly chown: string;
  /** Octal or symbolic, "" if absent. */
  readonly chmod: string;
  /** Given and not ignored: the copy does not depend on what lies below. Berth copies the same way with or without it. */
  readonly link: boolean;
  readonly exclude: readonly string[];
}

export interface CopyInstruction extends CopyLike {
  readonly kind: "copy";
  /** Stage name, stage index or image, "" for the build context. */
  readonly from: string;
  readonly parents: boolean;
}

export interface AddInstruction extends CopyLike {
  readonly kind: "add";
  readonly checksum: string;
  /** `--unpack`: undefined means that local tar archives are unpacked and remote ones are not. */
  readonly unpack?: boolean;
  readonly keepGitDir: boolean;
}

export interface EnvInstruction extends InstructionBase {
  readonly kind: "env";
  readonly pairs: readonly KeyValue[];
}

export interface LabelInstruction extends InstructionBase {
  readonly kind: "label";
  readonly pairs: readonly KeyValue[];
}

export interface ArgInstruction extends InstructionBase {
  readonly kind: "arg";
  /** A name without `=` has no value. */
  readonly args: readonly { readonly key: string; readonly value?: string }[];
}

export interface WorkdirInstruction extends InstructionBase {
  readonly kind: "workdir";
  readonly path: string;
}

export interface UserInstruction extends InstructionBase {
  readonly kind: "user";
  readonly user: string;
}

export interface ExposeInstruction extends InstructionBase {
  readonly kind: "expose";
  /** As written before expansion; `80/tcp` forms, ranges unrolled, after it. */
  readonly ports: readonly string[];
}

export interface VolumeInstruction extends InstructionBase {
  readonly kind: "volume";
  readonly paths: readonly string[];
}

export interface CmdInstruction extends InstructionBase {
  readonly kind: "cmd";
  readonly command: CommandLine;
}

export interface EntrypointInstruction extends InstructionBase {
  readonly kind: "entrypoint";
  readonly command: CommandLine;
}

export interface ShellInstruction extends InstructionBase {
  readonly kind: "shell";
  readonly shell: readonly string[];
}

export interface StopSignalInstruction extends InstructionBase {
  readonly kind: "stopsignal";
  readonly signal: string;
}

export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: "healthcheck";
  /** As the image config has it: `["NONE"]`, `["CMD", …]`, `["CMD-SHELL", line]`. */
  readonly test: readonly string[];
  /** Nanoseconds as the image config has them; 0 means not given. */
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

export interface OnBuildInstruction extends InstructionBase {
  readonly kind: "onbuild";
  /** The triggered instruction as the image config keeps it: `RUN make`. Parse it with `parseTrigger`. */
  readonly trigger: string;
}

export interface MaintainerInstruction extends InstructionBase {
  readonly kind: "maintainer";
  readonly maintainer: string;
}

export type Instruction =
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | EnvInstruction
  | LabelInstruction
  | ArgInstruction
  | WorkdirInstruction
  | UserInstruction
  | ExposeInstruction
  | VolumeInstruction
  | CmdInstruction
  | EntrypointInstruction
  | ShellInstruction
  | StopSignalInstruction
  | HealthcheckInstruction
  | OnBuildInstruction
  | MaintainerInstruction;
