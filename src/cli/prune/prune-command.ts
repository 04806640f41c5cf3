import { humanSize } from "#formats/go-units.ts";
import type { CommandContext } from "../grammar/command.ts";
import { confirm } from "./confirm.ts";
import { ARE_YOU_SURE } from "./prune-flags.ts";
import type { Pruned } from "./prunes.ts";

export interface PruneStep {
  /** Docker's warning. */
  readonly warning: string;
  readonly force: boolean;
  /** Between the warning and the question: a space, or a new line. */
  readonly separator?: string;
}

/** Asks, prunes, and says what was removed and how much that freed. A refusal is no failure, as in docker. */
export async function runPrune(
  step: PruneStep,
  context: CommandContext,
  prune: () => Promise<Pruned>,
): Promise<number> {
  const { warning, force, separator = "\n" } = step;
  if (!force && !(await confirm(`${warning}${separator}${ARE_YOU_SURE}`, context))) return 0;
  const { text, reclaimed } = await prune();
  await context.streams.stdout.write(`${text}Total reclaimed space: ${humanSize(reclaimed)}\n`);
  return 0;
}
