import { humanSize } from "#formats/go-units.ts";
import type { CommandContext } from "../grammar/command.ts";
import { confirmPrune, type PruneQuestion } from "./confirm.ts";
import type { Pruned } from "./prunes.ts";

export interface PruneStep extends PruneQuestion {
  readonly force: boolean;
}

/** Asks, prunes, and says what was removed and how much that freed. A refusal is no failure, as in docker. */
export async function runPrune(
  step: PruneStep,
  context: CommandContext,
  prune: () => Promise<Pruned>,
): Promise<number> {
  if (!step.force && !(await confirmPrune(step, context))) return 0;
  const { text, reclaimed } = await prune();
  await context.streams.stdout.write(`${text}Total reclaimed space: ${humanSize(reclaimed)}\n`);
  return 0;
}
