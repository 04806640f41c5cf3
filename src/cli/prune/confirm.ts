import type { Filters } from "#client/filters.ts";
import { type PruneScope, planPrune } from "#client/prune.ts";
import { humanSize } from "#formats/go-units.ts";
import type { CommandContext } from "../grammar/command.ts";
import { readLine } from "../prompt.ts";
import { ARE_YOU_SURE } from "./prune-flags.ts";

/** Asks before something is removed. Anything but yes, and the end of the input, is no. */
export async function confirm(question: string, { streams }: CommandContext): Promise<boolean> {
  return (await readLine(`${question} [y/N] `, streams)).toLowerCase() === "y";
}

export interface PruneQuestion {
  /** Docker's, which says what is removed. */
  readonly warning: string;
  /** Between Docker's warning and its question: a new line, or a space. */
  readonly separator?: string;
  readonly scope: PruneScope;
  readonly filters: Filters;
}

/** Asks before a prune, and says what it will free when the engine knows. Throws EngineError for a bad filter, before anything is asked. */
export async function confirmPrune(question: PruneQuestion, context: CommandContext): Promise<boolean> {
  const { warning, separator = "\n", scope, filters } = question;
  const plan = await planPrune(context.engine, scope, filters);
  const between = plan ? `\nThis frees ${humanSize(plan.total)}.\n` : separator;
  return confirm(`${warning}${between}${ARE_YOU_SURE}`, context);
}
