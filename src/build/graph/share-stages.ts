import type { FilesOrigin, RunMount, StageBase, StageGraph, StageImage, Step } from "./graph-types.ts";

/**
 * The graphs of one Dockerfile for several platforms as one: what they have in common becomes the same objects, which a solver brings about once.
 * To that end each stage becomes a chain of stages of one step, since platforms often part in the middle of a stage (`ARG TARGETARCH`).
 * Images must be the same objects where they are the same image.
 */
export function shareStages(targets: readonly StageGraph[]): readonly StageGraph[] {
  const sharing = new StageSharing();
  return targets.map((target) => sharing.shared(target));
}

class StageSharing {
  readonly #known = new Map<StageGraph, StageGraph>();
  readonly #byContent = new Map<string, StageGraph>();
  /** Numbers of shared stages: what stands for them in the content of others. */
  readonly #numbers = new Map<StageGraph, number>();
  /** How many steps there are of one stage and name. */
  readonly #names = new Map<string, number>();

  shared(stage: StageGraph): StageGraph {
    const known = this.#known.get(stage);
    if (known) return known;
    const chain = this.#chain(stage);
    this.#known.set(stage, chain);
    return chain;
  }

  /** The base, then each step on the one before; at the end what the image is like. */
  #chain(stage: StageGraph): StageGraph {
    const { index, scope, image, listing } = stage;
    const link = { index, scope, image: withoutSettings(image), listing: [] };
    const moved = new Map<Step, Step>();
    let at = this.#interned({ ...link, base: this.#base(stage.base), steps: [] });
    for (const step of stage.steps) {
      at = this.#interned({ ...link, base: { kind: "stage", stage: at }, steps: [this.#step(step)] });
      moved.set(step, at.steps[0] ?? step);
    }
    return this.#interned({
      ...link,
      base: { kind: "stage", stage: at },
      steps: [],
      image,
      listing: listing.map(({ text, step }) => ({ text, ...(step ? { step: moved.get(step) ?? step } : {}) })),
    });
  }

  #interned(stage: StageGraph): StageGraph {
    const content = this.#content(stage);
    const known = this.#byContent.get(content);
    if (known) return known;
    const added = { ...stage, steps: stage.steps.map((step) => this.#told(stage.index, step)) };
    this.#byContent.set(content, added);
    this.#numbers.set(added, this.#numbers.size);
    return added;
  }

  /** Steps of the same name that are not the same get numbers. */
  #told(index: number, step: Step): Step {
    const name = `${index} ${step.name}`;
    const count = this.#names.get(name) ?? 0;
    this.#names.set(name, count + 1);
    return count === 0 ? step : { ...step, variant: count };
  }

  #base(base: StageBase): StageBase {
    return base.kind === "stage" ? { kind: "stage", stage: this.shared(base.stage) } : base;
  }

  #step(step: Step): Step {
    switch (step.kind) {
      case "copy":
        return { ...step, from: this.#origin(step.from) };
      case "run":
        return { ...step, mounts: step.mounts.map((mount) => this.#mount(mount)) };
      case "workdir":
        return step;
    }
  }

  #mount(mount: RunMount): RunMount {
    if (mount.type === "bind") return { ...mount, from: this.#origin(mount.from) };
    return mount.type === "cache" && mount.from ? { ...mount, from: this.#origin(mount.from) } : mount;
  }

  #origin(origin: FilesOrigin): FilesOrigin {
    return origin.kind === "stage" ? { kind: "stage", stage: this.shared(origin.stage) } : origin;
  }

  /** All that tells one stage from another, as text. */
  #content({ index, base, steps, image, listing }: StageGraph): string {
    const below = base.kind === "image" ? { ...base, image: base.image.id } : base;
    const texts = listing.map(({ text }) => text);
    return JSON.stringify([index, below, steps, image, texts], (_, value: unknown) => {
      const number = this.#numbers.get(value as StageGraph);
      return number === undefined ? value : `stage ${number}`;
    });
  }
}

/** Steps care for the platform alone. */
function withoutSettings({ platform }: StageImage): StageImage {
  return { platform, config: {}, history: [] };
}
