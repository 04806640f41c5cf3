import type { HistoryEntry, ImageConfig } from "#spec/oci-image.ts";
import type { StageGraph } from "../graph/graph-types.ts";
import type { SolvedLayer } from "../solve/solver-types.ts";

/** What BuildKit writes behind entries that it adds for layers of which the history says nothing. */
const EXPORTER_COMMENT = "buildkit.exporter.image.v0";

/**
 * The config of the finished image. It holds nothing that depends on when the build ran, only on when its layers were made: a
 * build whose every step is cached gives the same image id again.
 */
export function imageConfig(
  stage: StageGraph,
  layers: readonly SolvedLayer[],
  labels: Readonly<Record<string, string>>,
): ImageConfig {
  const { platform, author, config, history } = stage.image;
  const dated = datedHistory(history, layers);
  const created = dated.findLast((entry) => entry.created !== undefined)?.created;
  return {
    ...(created === undefined ? {} : { created }),
    ...(author === undefined ? {} : { author }),
    architecture: platform.architecture,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    os: platform.os,
    ...(platform["os.version"] === undefined ? {} : { "os.version": platform["os.version"] }),
    config: Object.keys(labels).length === 0 ? config : { ...config, Labels: sorted({ ...config.Labels, ...labels }) },
    rootfs: { type: "layers", diff_ids: layers.map(({ layer }) => layer.diffId) },
    history: dated,
  };
}

/**
 * Gives every entry its time: a layer's is when it was made; entries without a layer take that of the layer before them, and at the
 * start of the build that of its first new layer. BuildKit: exporter/containerimage/writer.go (normalizeLayersAndHistory).
 */
function datedHistory(history: readonly HistoryEntry[], layers: readonly SolvedLayer[]): HistoryEntry[] {
  const made = layers.map(({ created }) => (created === undefined ? undefined : new Date(created).toISOString()));
  const complete = withMissingEntries(history, made);
  let layer = 0;
  const withLayers = complete.map((entry) => {
    if (entry.empty_layer) return entry;
    const created = entry.created ?? made[layer];
    layer++;
    return created === undefined ? entry : { created, ...entry };
  });
  return fillTimes(withLayers);
}

function withMissingEntries(history: readonly HistoryEntry[], made: readonly (string | undefined)[]): HistoryEntry[] {
  const described = history.filter((entry) => !entry.empty_layer).length;
  const missing = made.slice(described).map((created) => ({
    ...(created === undefined ? {} : { created }),
    comment: EXPORTER_COMMENT,
  }));
  return [...history, ...missing];
}

function fillTimes(history: readonly HistoryEntry[]): HistoryEntry[] {
  let current = firstNewTime(history);
  let seenUndated = false;
  return history.map((entry) => {
    if (entry.created !== undefined) {
      if (seenUndated) current = entry.created;
      return entry;
    }
    seenUndated = true;
    return current === undefined ? entry : { created: current, ...entry };
  });
}

/** The first time behind an entry without one; if there is none, the last time. */
function firstNewTime(history: readonly HistoryEntry[]): string | undefined {
  const undated = history.findIndex((entry) => entry.created === undefined);
  const afterwards = undated < 0 ? undefined : history.slice(undated).find((entry) => entry.created !== undefined);
  return (afterwards ?? history.findLast((entry) => entry.created !== undefined))?.created;
}

function sorted(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1)));
}
