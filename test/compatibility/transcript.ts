import { run } from "../../tools/harness/child.ts";
import { normalise } from "./normalise.ts";
import type { Step, StepResult } from "./step.ts";

export interface TourSetting {
  /** A docker command line. */
  readonly client: string;
  readonly env: Readonly<Record<string, string>>;
  /** Has the files that steps name. */
  readonly directory: string;
}

/** Walks the tour, one step after the other. */
export async function walk(tour: readonly Step[], setting: TourSetting): Promise<StepResult[]> {
  const results: StepResult[] = [];
  const times = new Map<string, number>();
  for (const step of tour) {
    const words = step.args.join(" ");
    const time = (times.get(words) ?? 0) + 1;
    times.set(words, time);
    results.push(await take(time === 1 ? words : `${words} (${time})`, step, setting));
  }
  return results;
}

async function take(
  name: string,
  { args, stdin, unordered }: Step,
  { client, env, directory }: TourSetting,
): Promise<StepResult> {
  const words = args.map((word) => word.replaceAll("{dir}", directory));
  const { exitCode, stdout, stderr } = await run(client, words, {
    env,
    cwd: directory,
    ...(stdin === undefined ? {} : { input: stdin }),
    timeout: 30_000,
  });
  return {
    step: name,
    exitCode,
    stdout: unordered ? sortLines(normalise(stdout, directory)) : normalise(stdout, directory),
    stderr: normalise(stderr, directory),
  };
}

function sortLines(text: string): string {
  return text.split("\n").sort().join("\n");
}
