import type { BuildRequest } from "#build/builder.ts";
import type { Engine } from "#engine/engine.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { LocalImages } from "#engine/images/lookup.ts";
import { parseImageConfig } from "#engine/images/manifest-document.ts";
import { digestOf } from "#formats/digest.ts";
import type { TwiceReport } from "#spec/build-twice.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageConfig } from "#spec/oci-image.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import type { BuiltResult } from "../outputs/deliver.ts";
import { PassingImage } from "../outputs/passing-image.ts";
import { firstDifference } from "./compare-tars.ts";

/**
 * Builds once more without the cache, which stays as it is, and compares the outcome with that of the `first` build, platform by platform: the
 * report is about the first one that differs. Nothing of the second build stays. Throws as a build does.
 */
export async function buildAgain(engine: Engine, build: BuildRequest, first: BuiltResult): Promise<TwiceReport> {
  await using passing = new PassingImage(engine);
  const { annotations: _, ...known } = build;
  const second = await engine.builds.buildTrial({
    ...known,
    tags: [],
    isImageWanted: false,
    onStatus: (status) => build.onStatus(renamed(status)),
  });
  try {
    return await engine.images.layers.withLease(() => compareResults(engine.images, first, second));
  } finally {
    const kept = new Set(first.images.map(({ id }) => id));
    for (const { id } of second.images) if (!kept.has(id)) passing.add(id);
  }
}

async function compareResults(context: ImageContext, first: BuiltResult, second: BuiltResult): Promise<TwiceReport> {
  for (const [at, { id }] of first.images.entries()) {
    const other = second.images[at];
    if (!other || at === first.images.length - 1) continue;
    const report = await compareImages(context, id, other.id);
    if (!report.isSame) return report;
  }
  const [last, other] = [first.images.at(-1), second.images.at(-1)];
  return await compareImages(context, last?.id ?? first.imageId, other?.id ?? second.imageId);
}

async function compareImages(context: ImageContext, first: Digest, second: Digest): Promise<TwiceReport> {
  const local = new LocalImages(context);
  const [one, other] = [local.layers(first), local.layers(second)];
  const [config, otherConfig] = await Promise.all([readConfig(context, first), readConfig(context, second)]);
  const differing = one.findIndex(({ diffId }, index) => diffId !== other[index]?.diffId);
  const [layer, otherLayer] = [one[differing], other[differing]];
  const file =
    layer && otherLayer
      ? await firstDifference(context.layers.readTar(layer), context.layers.readTar(otherLayer))
      : undefined;
  const fields = configDifferences(config, otherConfig);
  return {
    first,
    second,
    isSame: differing < 0 && one.length === other.length && fields.length === 0,
    layers: one.length,
    ...(layer ? { layer: { number: differing + 1, step: stepOf(config, differing), ...(file ? { file } : {}) } } : {}),
    config: fields,
  };
}

async function readConfig(context: ImageContext, id: Digest): Promise<ImageConfig> {
  return parseImageConfig(await context.blobs.read(id));
}

function stepOf({ history = [] }: ImageConfig, layer: number): string {
  return history.filter((entry) => !entry.empty_layer)[layer]?.created_by ?? "";
}

/** Layers are compared apart, and times are never the same. */
function configDifferences(first: ImageConfig, second: ImageConfig): string[] {
  const [one, other] = [comparable(first), comparable(second)];
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter((name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]));
}

function comparable({ created: _, rootfs: __, history = [], ...rest }: ImageConfig): Record<string, unknown> {
  return { ...rest, history: history.map(({ created: ___, ...entry }) => entry) };
}

/** The second build's steps beside those of the first. */
function renamed({ vertexes = [], statuses = [], logs = [] }: SolveStatus): SolveStatus {
  const again = (digest: string): string => digestOf(`again ${digest}`);
  return {
    vertexes: vertexes.map(({ digest, name, inputs: _, ...vertex }) => ({
      ...vertex,
      digest: again(digest),
      name: `again: ${name}`,
    })),
    statuses: statuses.map((status) => ({ ...status, vertex: again(status.vertex) })),
    logs: logs.map((log) => ({ ...log, vertex: again(log.vertex) })),
  };
}
