import { errorMessage } from "#errors/errors.ts";
import type { CheckLine } from "#spec/berth-api.ts";
import type { Digest } from "#spec/digest.ts";
import type { ListedImage } from "#store/image-record.ts";
import { familiar } from "./familiar.ts";
import type { ImageContext } from "./image-context.ts";
import { parseImageConfig } from "./manifest-document.ts";

/**
 * Proves every image: its config and manifest against their digests, its layers against what the config names, and every layer file
 * byte for byte. Yields a line per finding as it is found, then one with the counts. Throws CancelledError.
 */
export async function* checkImages(
  context: ImageContext,
  signal?: AbortSignal,
): AsyncGenerator<CheckLine, void, undefined> {
  const counts = { layers: 0, blobs: 0, images: 0, bytes: 0, problems: 0 };
  const images = context.images.list();
  for (const listed of images) {
    signal?.throwIfAborted();
    for await (const line of checkImage(context, listed)) {
      counts.problems++;
      yield line;
    }
    counts.images++;
    counts.blobs += listed.image.manifest ? 2 : 1;
  }
  for (const { digest } of context.indexes.list()) {
    const found = await readOrProblem(context, digest);
    counts.blobs++;
    if (typeof found !== "string") continue;
    counts.problems++;
    yield { kind: "blob", name: digest, problem: `${found} (an image index)` };
  }
  const users = namesByLayer(context, images);
  for (const layer of context.layers.list()) {
    const problem = await context.layers.verify(layer, signal);
    counts.layers++;
    counts.bytes += layer.fileSize;
    if (problem === undefined) continue;
    counts.problems++;
    yield { kind: "layer", name: layer.diffId, problem: `${problem}${usedBy(users.get(layer.diffId))}` };
  }
  yield { done: counts };
}

async function* checkImage(
  context: ImageContext,
  { image, references }: ListedImage,
): AsyncGenerator<CheckLine, void, undefined> {
  const name = references[0] ? familiar(references[0]) : image.id;
  const config = await readOrProblem(context, image.id);
  if (typeof config === "string") {
    yield { kind: "blob", name: image.id, problem: `${config} (config of ${name})` };
  } else {
    const problem = compareLayers(context, image.id, config);
    if (problem) yield { kind: "image", name, problem };
  }
  const manifest = image.manifest ? await readOrProblem(context, image.manifest.digest) : undefined;
  if (typeof manifest === "string") {
    yield { kind: "blob", name: image.manifest?.digest ?? "", problem: `${manifest} (manifest of ${name})` };
  }
}

async function readOrProblem(context: ImageContext, digest: Digest): Promise<Uint8Array | string> {
  return context.blobs.read(digest).catch(errorMessage);
}

function compareLayers(context: ImageContext, id: Digest, config: Uint8Array): string | undefined {
  const promised = parseImageConfig(config).rootfs.diff_ids;
  const recorded = context.images.layers(id).map((layer) => layer.diffId);
  const isSame = promised.length === recorded.length && promised.every((diffId, index) => diffId === recorded[index]);
  return isSame ? undefined : "the database names other layers than its config";
}

function namesByLayer(context: ImageContext, images: readonly ListedImage[]): Map<Digest, string[]> {
  const names = new Map(images.map(({ image, references }) => [image.id as string, references[0] ?? image.id]));
  const users = new Map<Digest, string[]>();
  for (const [id, stack] of context.images.allLayers()) {
    for (const { diffId } of stack) users.set(diffId, [...(users.get(diffId) ?? []), names.get(id) ?? id]);
  }
  return users;
}

function usedBy(names: readonly string[] | undefined): string {
  if (!names || names.length === 0) return "";
  return ` (used by ${[...new Set(names)].map((name) => (name.startsWith("sha256:") ? name : familiar(name))).join(", ")})`;
}
