import type { Failure, FileOutcome } from "./bun-output.ts";
import type { Finished, Job } from "./job.ts";

export interface RunResult {
  readonly outcomes: readonly FileOutcome[];
  /** Failed beside other files and passed alone: bugs to mend, that say nothing of what is tested now. */
  readonly flaky: readonly Failure[];
}

export interface RunOptions {
  /** How many run at once. */
  readonly width: number;
  /** The job of a test file that runs once more; without it nothing does. */
  readonly alone?: (file: string) => Job;
  /** Told when a job has ended; `alone` the second time. */
  readonly onEnd: (job: Job, finished: Finished, alone: boolean) => void;
}

/** When more jobs failed than that, the machine was not too busy for them, and to run them all again would take long. */
const MOST_REPEATED = 8;

/**
 * Runs all jobs, the first ones first, and what failed of their test files once more, each alone when all others have ended. What hung is not: it would
 * take its whole time again.
 */
export async function runJobs(jobs: readonly Job[], options: RunOptions): Promise<RunResult> {
  const ended = new Map<Job, Finished>();
  const waiting = [...jobs];
  const work = async (): Promise<void> => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      const finished = await job.run();
      ended.set(job, finished);
      options.onEnd(job, finished, false);
    }
  };
  await Promise.all(Array.from({ length: options.width }, work));
  const failing = [...ended.values()].filter(({ outcomes }) => outcomes.some(hasFailed));
  const { alone, ...rest } = options;
  const again = failing.length > MOST_REPEATED || !alone ? rest : { ...rest, alone };
  const results: RunResult[] = [];
  for (const job of jobs) {
    const outcomes = ended.get(job)?.outcomes ?? [];
    results.push(await judge(job, outcomes, again));
  }
  return { outcomes: results.flatMap((result) => result.outcomes), flaky: results.flatMap((result) => result.flaky) };
}

/** What a job's failures are worth: a second run's outcome takes the place of the first one's. */
async function judge(job: Job, outcomes: readonly FileOutcome[], options: RunOptions): Promise<RunResult> {
  const failed = outcomes.filter((outcome) => hasFailed(outcome) && !outcome.failures.some(({ isHang }) => isHang));
  const { alone } = options;
  if (failed.length === 0 || job.files.length === 0 || !alone) return { outcomes, flaky: [] };
  // A failure that no file has may be any one's.
  const byFile = failed.every(({ file }) => job.files.includes(file));
  const kept = byFile ? outcomes.filter((outcome) => !failed.includes(outcome)) : [];
  const second: FileOutcome[] = [];
  for (const repeated of byFile ? failed.map(({ file }) => alone(file)) : [job]) {
    const finished = await repeated.run();
    options.onEnd(repeated, finished, true);
    second.push(...finished.outcomes);
  }
  return { outcomes: [...kept, ...second], flaky: onlyIn(failed, second) };
}

function hasFailed({ failures }: FileOutcome): boolean {
  return failures.length > 0;
}

function onlyIn(first: readonly FileOutcome[], second: readonly FileOutcome[]): Failure[] {
  const still = new Set(second.flatMap(({ failures }) => failures.map(({ file, title }) => `${file}: ${title}`)));
  return first.flatMap(({ failures }) => failures).filter(({ file, title }) => !still.has(`${file}: ${title}`));
}
