import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { normalise } from "./normalise.ts";
import type { Step, StepResult } from "./step.ts";

export interface TourSetting {
  /** A docker command line. */
  readonly client: string;
  readonly env: Readonly<Record<string, string>>;
  /** Has the files that steps name. */
  readonly directory: string;
  /** The address of a registry. */
  readonly registry: string;
}

/** After so many steps whoever waits for the walk is told that it goes on. */
const TOLD = 20;

/** Walks the tour, one step after the other but for those that nothing waits for. */
export async function walk(tour: readonly Step[], setting: TourSetting): Promise<StepResult[]> {
  const results: (StepResult | Promise<StepResult>)[] = [];
  const times = new Map<string, number>();
  for (const [index, step] of tour.entries()) {
    if (index % TOLD === 0) process.stderr.write(`step ${index} of ${tour.length}\n`);
    const words = step.args.join(" ");
    const time = (times.get(words) ?? 0) + 1;
    times.set(words, time);
    const taken = take(time === 1 ? words : `${words} (${time})`, step, setting);
    results.push(step.beside ? taken : await taken);
  }
  return await Promise.all(results);
}

async function take(name: string, step: Step, setting: TourSetting): Promise<StepResult> {
  const { directory, registry } = setting;
  const fill = (word: string): string => word.replaceAll("{dir}", directory).replaceAll("{registry}", registry);
  const input = step.stdinFile === undefined ? step.stdin : readFileSync(fill(step.stdinFile));
  const { exitCode, stdout, stderr } = await run(setting.client, step.args.map(fill), {
    env: setting.env,
    cwd: directory,
    ...(input === undefined ? {} : { input }),
    timeout: 90_000,
  });
  const equal = (text: string): string => {
    const normal = normalise(
      text.replaceAll(directory, "<dir>").replaceAll(dirname(directory), "<home>").replaceAll(registry, "<registry>"),
    );
    return step.unordered ? sortLines(normal) : normal;
  };
  return { step: name, exitCode, stdout: equal(stdout), stderr: equal(stderr) };
}

function sortLines(text: string): string {
  return text.split("\n").sort().join("\n");
}
