import { formatPlatform, parsePlatform } from "#formats/platform.ts";
import type { Platform } from "#spec/oci-image.ts";
import { processWord, type Variables } from "../parse/shell-words.ts";
import type { EscapeCharacter } from "../parse/source.ts";
import type { PlannedStage } from "./stage-plan.ts";

/**
 * Names the steps of one stage as BuildKit does: `[stage i/N] COPY a b`; in a build for several platforms `[linux/amd64 stage i/N] …`. Call
 * it once per counted instruction, in order.
 * https://github.com/moby/buildkit/blob/master/frontend/dockerfile/dockerfile2llb/convert.go (prefixCommand)
 */
export class StepNamer {
  readonly #stage: PlannedStage;
  readonly #hasPlatform: boolean;
  #index = 0;

  /** `hasPlatform`: names begin with the stage's platform. */
  constructor(stage: PlannedStage, hasPlatform: boolean) {
    this.#stage = stage;
    this.#hasPlatform = hasPlatform;
  }

  /** `variables`: those that the step sees; of a stage that compiles for another platform the name tells it. */
  next(text: string, { isTrigger = false, variables }: { isTrigger?: boolean; variables?: Variables } = {}): string {
    const { stepCount } = this.#stage;
    if (stepCount === 0) return text;
    this.#index++;
    const prefix = stagePrefix(this.#stage, this.#hasPlatform, variables);
    const index = String(this.#index).padStart(String(stepCount).length, " ");
    return `[${prefix}${index}/${stepCount}] ${isTrigger ? "ONBUILD " : ""}${text}`;
  }
}

/** What stands before the numbers of a step's name: `build `, `linux/amd64 build `, `linux/amd64->arm64 build `. */
export function stagePrefix(
  { displayName, platform }: Pick<PlannedStage, "displayName" | "platform">,
  hasPlatform: boolean,
  variables?: Variables,
): string {
  const stage = displayName === "" ? "" : `${displayName} `;
  if (!hasPlatform) return stage;
  const target = variables ? targetSuffix(platform, variables) : "";
  return `${formatPlatform(platform)}${target} ${stage}`;
}

/** `->arm64` where a stage of one platform knows that it works for another. BuildKit: formatTargetPlatform. */
function targetSuffix(platform: Platform, variables: Variables): string {
  const whole = variables.get("TARGETPLATFORM");
  const [os, architecture] = [variables.get("TARGETOS"), variables.get("TARGETARCH")];
  const variant = variables.get("TARGETVARIANT");
  if (whole === undefined && os === undefined && architecture === undefined && variant === undefined) return "";
  const parts = [os || platform.os, architecture || platform.architecture, variant ?? ""].filter((part) => part !== "");
  const target = readPlatform(whole || parts.join("/"));
  if (!target) return "";
  if (target.os !== platform.os) return `->${formatPlatform(target)}`;
  if (target.architecture === platform.architecture) return "";
  return `->${[target.architecture, target.variant].filter(Boolean).join("/")}`;
}

/** Build arguments may say anything. */
function readPlatform(text: string): Platform | undefined {
  try {
    return parsePlatform(text);
  } catch {
    return undefined;
  }
}

export interface StepTextOptions {
  readonly escape: EscapeCharacter;
  /** RUN: quotes stay and unset variables are the shell's. */
  readonly isShell?: boolean;
}

/** The instruction as step names show it: verb in capitals, variables filled in; as written where they cannot be. */
export function stepText(text: string, variables: Variables, options: StepTextOptions): string {
  const { isShell = false } = options;
  return upperCaseVerb(expanded(text, variables, { escape: options.escape, rawQuotes: isShell, keepUnset: isShell }));
}

function expanded(text: string, variables: Variables, options: Parameters<typeof processWord>[2]): string {
  try {
    return processWord(text, variables, options);
  } catch {
    return text;
  }
}

function upperCaseVerb(text: string): string {
  const space = text.indexOf(" ");
  return space < 0 ? text.toUpperCase() : text.slice(0, space).toUpperCase() + text.slice(space);
}
