/** What `build --plan` and `build --advise` print. */
import { adviseBuild, type BuildRequest, planBuild } from "#client/build.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";
import type { CommandContext } from "../grammar/command.ts";
import { adviceText } from "./advice-text.ts";
import { PLAN_EXIT_CODES, planText } from "./plan-text.ts";

interface AnswerOptions {
  readonly isJson: boolean;
}

/** The exit code, which tells whether all is cached; or the engine's failure. */
export async function showPlan(
  build: BuildRequest,
  { isJson }: AnswerOptions,
  { engine, streams }: CommandContext,
): Promise<number | JsonMessage> {
  const answer = await planBuild(engine, build);
  if (answer.failure) return answer.failure;
  const plan = answer.value;
  await streams.stdout.write(isJson ? `${JSON.stringify(plan, null, 2)}\n` : planText(plan));
  return plan.steps.every(({ outcome }) => outcome === "cached") ? PLAN_EXIT_CODES.cached : PLAN_EXIT_CODES.runs;
}

/** The exit code, or the engine's failure. */
export async function showAdvice(
  build: BuildRequest,
  { isJson }: AnswerOptions,
  { engine, streams }: CommandContext,
): Promise<number | JsonMessage> {
  const answer = await adviseBuild(engine, build);
  if (answer.failure) return answer.failure;
  await streams.stdout.write(isJson ? `${JSON.stringify(answer.value, null, 2)}\n` : adviceText(answer.value));
  return 0;
}
