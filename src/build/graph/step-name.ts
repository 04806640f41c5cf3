import { processWord, type Variables } from "../parse/shell-words.ts";
import type { EscapeCharacter } from "../parse/source.ts";
import type { PlannedStage } from "./stage-plan.ts";

/**
 * Names the steps of one stage as BuildKit does: `[stage i/N] COPY a b`. Call it once per counted instruction, in order.
 * https://github.com/moby/buildkit/blob/master/frontend/dockerfile/dockerfile2llb/convert.go (prefixCommand)
 */
export class StepNamer {
  readonly #stage: PlannedStage;
  #index = 0;

  constructor(stage: PlannedStage) {
    this.#stage = stage;
  }

  next(text: string, isTrigger = false): string {
    const { stepCount, displayName } = this.#stage;
    if (stepCount === 0) return text;
    this.#index++;
    const stage = displayName === "" ? "" : `${displayName} `;
    const index = String(this.#index).padStart(String(stepCount).length, " ");
    return `[${stage}${index}/${stepCount}] ${isTrigger ? "ONBUILD " : ""}${text}`;
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
