import type { ImageContext } from "#engine/images/image-context.ts";
import type { Digest } from "#spec/digest.ts";
import type { BuildCacheUsage } from "#store/build-cache-record.ts";

/** Who needs which layer, on paper: images and cached steps can be taken away to see which layers that would free. */
export class LayerLedger {
  readonly #context: ImageContext;
  /** Layers of each image, also of those kept only for a container. */
  readonly #images: Map<string, readonly Digest[]>;
  /** Bytes on disk of the layers that are there. */
  readonly #bytes: Map<Digest, number>;
  #steps: readonly BuildCacheUsage[];

  /** Begins with what the engine has now. */
  constructor(context: ImageContext, steps: readonly BuildCacheUsage[]) {
    const { images } = context;
    this.#context = context;
    this.#steps = steps;
    this.#bytes = new Map(context.layers.list().map(({ diffId, fileSize }) => [diffId, fileSize]));
    this.#images = new Map([...images.allLayers()].map(([id, stack]) => [id, stack.map(({ diffId }) => diffId)]));
    for (const id of images.hiddenIds()) {
      this.#images.set(
        id,
        images.layers(id).map(({ diffId }) => diffId),
      );
    }
  }

  /** Takes images away; their layers stay until they are taken. */
  removeImages(ids: readonly Digest[]): void {
    for (const id of ids) this.#images.delete(id);
  }

  /** Takes images away with the layers that nothing else needs. Returns the bytes that this frees. */
  release(ids: readonly Digest[]): number {
    const layers = ids.flatMap((id) => this.#images.get(id) ?? []);
    this.removeImages(ids);
    return this.#take(layers);
  }

  /** Takes all layers that nothing needs. Returns the bytes that this frees. */
  takeUnneeded(): number {
    return this.#take([...this.#bytes.keys()]);
  }

  /**
   * Takes away the cached steps whose keys `choose` gives, with the layers that nothing else needs; it sees the steps as they are shared
   * with the images that are left. Returns the bytes that this frees.
   */
  takeSteps(choose: (steps: readonly BuildCacheUsage[]) => ReadonlySet<Digest>): number {
    const inImages = this.#inImages();
    const chosen = choose(
      this.#steps.map((step) => ({ ...step, shared: step.diffId !== undefined && inImages.has(step.diffId) })),
    );
    const going = this.#steps.filter(({ key }) => chosen.has(key));
    this.#steps = this.#steps.filter(({ key }) => !chosen.has(key));
    return this.#take(going.flatMap(({ diffId }) => diffId ?? []));
  }

  /** The rule of LayerFileStore.removeUnreferenced. */
  #take(diffIds: readonly Digest[]): number {
    const needed = this.#inImages();
    for (const { diffId } of this.#steps) if (diffId) needed.add(diffId);
    let freed = 0;
    for (const diffId of diffIds) {
      if (needed.has(diffId) || this.#context.layers.isLeased(diffId)) continue;
      freed += this.#bytes.get(diffId) ?? 0;
      this.#bytes.delete(diffId);
    }
    return freed;
  }

  #inImages(): Set<Digest> {
    return new Set([...this.#images.values()].flat());
  }
}
