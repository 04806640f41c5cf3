import { contextSizes } from "#build/advise/context-sizes.ts";
import { type LayerToRead, layerFindings } from "#build/advise/layer-findings.ts";
import { mergedEnvironments } from "#build/advise/merge-env.ts";
import { installSplits } from "#build/advise/split-install.ts";
import { buildTime, stepHistory, timeWithSplits } from "#build/advise/step-history.ts";
import { unifiedDiff } from "#build/advise/unified-diff.ts";
import type { BuildContext, BuildRequest } from "#build/builder.ts";
import { parseDockerfile } from "#build/instructions/parse-dockerfile.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { BuildAdvice, Proposal } from "#spec/build-advice.ts";
import type { BuildRecord, BuildStep } from "#spec/build-record.ts";
import type { Digest } from "#spec/digest.ts";
import type { LayerProvider } from "#store/layer-store.ts";

export interface AdviceParts {
  /** Recorded builds of the same, the latest first. */
  readonly builds: readonly BuildRecord[];
  readonly manifest: (content: Digest) => string | undefined;
  readonly layers: LayerProvider;
}

/** Manifests of package managers are text of some kilobytes. */
const MAX_MANIFEST = 4 * 1024 * 1024;

/** How the builds of a Dockerfile could be shorter and smaller. Runs nothing. Throws what parsing the Dockerfile throws. */
export async function advise(request: BuildRequest, parts: AdviceParts): Promise<BuildAdvice> {
  const { input } = request;
  if (input.kind !== "files") throw new InvalidParameterError("--advise looks at a directory, not at a remote context");
  const dockerfile = parseDockerfile(input.dockerfile);
  const context = await input.context.open([""], request.signal);
  const splits = installSplits(dockerfile, {
    text: (name) => smallFile(context, name),
    has: (name) => context.entries.some(({ path }) => path === name),
  });
  const merges = mergedEnvironments(dockerfile);
  const edits = [...merges, ...splits.flatMap((split) => split.edits)];
  const ended = parts.builds.filter(({ status }) => status === "completed");
  const proposals: Proposal[] = [
    ...splits.map(({ copy, run, manifests }) => ({
      text: `copy ${manifests.join(", ")} and run "${run.text.replace(/^RUN\s+/i, "")}" before the sources: a changed source then leaves it cached`,
      startLine: copy.source.startLine,
      endLine: run.source.endLine,
    })),
    ...merges.map(({ start, end }) => ({
      text: "one ENV: one entry of the image's history",
      startLine: start,
      endLine: end,
    })),
  ];
  const effect = splits.length === 0 ? undefined : effectOf(ended, splits, parts);
  return {
    builds: parts.builds.length,
    steps: stepHistory(ended),
    proposals,
    diff: unifiedDiff(request.dockerfileName, dockerfile.lines, edits),
    ...(effect ? { effect } : {}),
    context: contextSizes(context, dockerfile),
    layers: await layerFindings(layersToRead(ended[0], parts.layers)),
    remarks: remarksOf(ended),
  };
}

function effectOf(
  builds: readonly BuildRecord[],
  splits: Parameters<typeof timeWithSplits>[2],
  { manifest }: AdviceParts,
): BuildAdvice["effect"] {
  // The oldest has none before it to compare with.
  const compared = builds.slice(0, -1);
  if (compared.length === 0) return undefined;
  const before = compared.reduce((sum, build) => sum + buildTime(build), 0);
  const times = compared.map((build, index) => {
    const former = builds[index + 1];
    return former && timeWithSplits(build, former, splits, (content) => manifest(content as Digest));
  });
  const isKnown = times.every((time) => time !== undefined);
  const after = times.reduce<number>((sum, time) => sum + (time ?? 0), 0);
  return { builds: compared.length, before, ...(isKnown ? { after } : {}) };
}

/** Layers of the latest build's last stage, as far as they are still here. */
function layersToRead(build: BuildRecord | undefined, layers: LayerProvider): LayerToRead[] {
  return (build?.steps ?? []).flatMap(({ name, diffId }: BuildStep) => {
    const layer = diffId && layers.layer(diffId);
    return layer ? [{ step: name, read: () => layers.readTar(layer) }] : [];
  });
}

/** ARGs and ENVs that made steps run: where to put them is for the author to say, as a command may read any variable. */
function remarksOf(builds: readonly BuildRecord[]): string[] {
  const counts = new Map<string, { builds: Set<string>; time: number }>();
  for (const { id, steps } of builds) {
    for (const step of steps) {
      for (const reason of step.reasons) {
        const name = /^((?:ARG|ENV) \S+) .* → /.exec(reason)?.[1];
        if (name === undefined) continue;
        const count = counts.get(name) ?? { builds: new Set(), time: 0 };
        count.builds.add(id);
        count.time += step.completed - step.started;
        counts.set(name, count);
      }
    }
  }
  return [...counts].map(([name, count]) => {
    const builds = count.builds.size === 1 ? "1 build" : `${count.builds.size} builds`;
    return `${name} changed in ${builds} and made steps run for ${(count.time / 1000).toFixed(1)}s: put it below the steps that do not use it`;
  });
}

function smallFile(context: BuildContext, name: string): string | undefined {
  const entry = context.entries.find(
    ({ path, type, size }) => path === name && type === "file" && size <= MAX_MANIFEST,
  );
  return entry && Buffer.from(context.read(entry)).toString("utf8");
}
