import type { StepHistory } from "#spec/build-advice.ts";
import type { BuildRecord, BuildStep } from "#spec/build-record.ts";
import { parseStepName } from "../solve/build-memory.ts";
import { changedFiles } from "../solve/file-manifest.ts";
import type { InstallSplit } from "./split-install.ts";

/** The list of files behind a content digest, where it was kept. */
type ManifestOf = (content: string) => string | undefined;

/** How often the steps of the latest build ran in recorded builds, and how long they take. */
export function stepHistory(builds: readonly BuildRecord[]): StepHistory[] {
  const latest = (builds[0]?.steps ?? []).filter(({ kind }) => kind !== "from");
  return latest.map(({ name }) => {
    const same = builds.flatMap((build) => sameStep(build, name) ?? []);
    const times = same.filter(({ outcome }) => outcome === "ran").map(timeOf);
    const typical = median(times);
    return { name, ran: times.length, builds: same.length, ...(typical === undefined ? {} : { typical }) };
  });
}

/** What all steps of a build took. Those of stages that ran side by side count one by one. */
export function buildTime({ steps }: BuildRecord): number {
  return steps.filter(({ outcome }) => outcome === "ran").reduce((sum, step) => sum + timeOf(step), 0);
}

/**
 * What a build would have taken had the install stood before the sources: as long, less the install where the files that it reads had not
 * changed since the build before. Undefined when the records cannot say whether they had.
 */
export function timeWithSplits(
  build: BuildRecord,
  before: BuildRecord,
  splits: readonly InstallSplit[],
  manifest: ManifestOf,
): number | undefined {
  let time = buildTime(build);
  for (const { run, copy, manifests } of splits) {
    const step = stepOfText(build, run.text);
    if (step?.outcome !== "ran") continue;
    const changed = changedSources(stepOfText(build, copy.text), stepOfText(before, copy.text), manifest);
    if (!changed) return undefined;
    // It may have run for another reason, like a changed ARG: only what the sources caused is saved.
    const isForSources = step.reasons.length === 1 && /^an earlier step \(.*\) ran$/.test(step.reasons[0] ?? "");
    if (isForSources && !manifests.some((name) => changed.has(name))) time -= timeOf(step);
  }
  return time;
}

/** Paths that differ between what a COPY read in two builds. Undefined when one of the lists is not kept. */
function changedSources(
  now: BuildStep | undefined,
  then: BuildStep | undefined,
  manifest: ManifestOf,
): ReadonlySet<string> | undefined {
  const [after, before] = [now && contentOf(now), then && contentOf(then)];
  if (after === undefined || before === undefined) return undefined;
  if (after === before) return new Set();
  const [current, old] = [manifest(after), manifest(before)];
  return current === undefined || old === undefined ? undefined : changedFiles(old, current);
}

function contentOf({ inputs }: BuildStep): string | undefined {
  if (inputs === "") return undefined;
  return (JSON.parse(inputs) as { readonly inputs?: { readonly content?: readonly string[] } }).inputs?.content?.[0];
}

function stepOfText({ steps }: BuildRecord, text: string): BuildStep | undefined {
  return steps.find(({ name }) => parseStepName(name).text === text);
}

function sameStep({ steps }: BuildRecord, name: string): BuildStep | undefined {
  const { stage, text } = parseStepName(name);
  return steps.find((step) => {
    const parsed = parseStepName(step.name);
    return parsed.stage === stage && parsed.text === text;
  });
}

function timeOf({ started, completed }: BuildStep): number {
  return completed - started;
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
