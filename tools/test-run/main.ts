/**
 * The whole test run, or of the test files whose path contains one of the words given: the checks, the unit tests beside the code, and every file of test/
 * in a process of its own, several at once. The last line counts them all; the lines before it name what failed.
 */
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { bunJob, checksJob, type Finished, type Job } from "./job.ts";
import { OwnMachines, removeKilledRuns } from "./own-machine.ts";
import { runJobs } from "./run-jobs.ts";
import { jobLine, longest, summaryOf } from "./summary.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** They take longest, in this order (the end of a whole run tells). They begin first: a long one that begins last would run alone. */
const FIRST = [
  "test/compatibility/tour.test.ts",
  "unit tests 1 of 4",
  "unit tests 2 of 4",
  "unit tests 3 of 4",
  "unit tests 4 of 4",
  "test/compatibility/dockerfiles.test.ts",
  "test/faults/crash.test.ts",
  "test/compatibility/states.test.ts",
  "test/clients/clients.test.ts",
  "test/clients/development.test.ts",
  "test/buildkit/buildx.test.ts",
  "test/cli/docker-templates.test.ts",
  "test/faults/build.test.ts",
  "test/build/shared-cache.test.ts",
  "test/networks/networks.test.ts",
  "test/containers/archive.test.ts",
  "test/engine/prune.test.ts",
  "test/faults/networks.test.ts",
];

const UNIT_PROCESSES = 4;

/** Most wait for containers as long as they compute. */
const width = availableParallelism() + 2;

function testFiles(directory: string): string[] {
  const names = readdirSync(join(ROOT, directory), { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `${directory}/${name}`)
    .sort();
}

function everything(machines: OwnMachines): Job[] {
  const rank = ({ name }: Job): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  const unitFiles = [...testFiles("src"), ...testFiles("tools")];
  const units = Array.from({ length: UNIT_PROCESSES }, (_, part) => {
    const name = `unit tests ${part + 1} of ${UNIT_PROCESSES}`;
    return bunJob(
      name,
      unitFiles.filter((_, index) => index % UNIT_PROCESSES === part),
      machines,
    );
  });
  const engines = testFiles("test").map((file) => bunJob(file, [file], machines));
  return [checksJob(machines), ...units, ...engines].sort((a, b) => rank(a) - rank(b));
}

function chosen(words: readonly string[], machines: OwnMachines): Job[] {
  const all = [...testFiles("src"), ...testFiles("tools"), ...testFiles("test")];
  const files = all.filter((file) => words.some((word) => file.includes(word)));
  return [bunJob(words.join(" "), files, machines)];
}

async function main(words: readonly string[]): Promise<void> {
  const began = performance.now();
  const killed = removeKilledRuns();
  if (killed.length > 0) console.log(`removed what killed test runs had left: ${killed.join(", ")}`);
  using machines = new OwnMachines();
  const times = new Map<string, number>();
  const onEnd = (job: Job, { outcomes, output, seconds }: Finished, alone: boolean): void => {
    const failed = outcomes.some((outcome) => outcome.failures.length > 0);
    if (failed || words.length > 0) console.log(output);
    console.log(jobLine(alone ? `${job.name} (alone)` : job.name, outcomes, seconds));
    times.set(job.name, seconds);
  };
  const whole = words.length === 0;
  const result = whole
    ? await runJobs(everything(machines), { width, onEnd, alone: (file) => bunJob(file, [file], machines) })
    : await runJobs(chosen(words, machines), { width, onEnd });
  if (whole) {
    console.log(`\nThe longest of ${Math.round((performance.now() - began) / 1000)} s:\n${longest(times, 10)}`);
  }
  console.log(summaryOf(result));
  process.exitCode = result.outcomes.some((outcome) => outcome.failures.length > 0) ? 1 : 0;
}

await main(process.argv.slice(2));
