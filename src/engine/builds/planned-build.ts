import type { BuildMemory } from "#build/builder.ts";
import type { BuildStep, PlannedStep } from "#spec/build-record.ts";
import type { Digest } from "#spec/digest.ts";

/** The memory of a build that is only planned: it knows the past and leaves nothing. */
export class PlannedBuild implements BuildMemory {
  readonly #former: () => readonly (readonly BuildStep[])[];
  readonly #kept: (content: Digest) => string | undefined;
  readonly #manifests = new Map<Digest, string>();
  readonly #steps: BuildStep[] = [];

  constructor(former: () => readonly (readonly BuildStep[])[], kept: (content: Digest) => string | undefined) {
    this.#former = former;
    this.#kept = kept;
  }

  former(): readonly (readonly BuildStep[])[] {
    return this.#former();
  }

  manifest(content: Digest): string | undefined {
    return this.#manifests.get(content) ?? this.#kept(content);
  }

  keepManifest(content: Digest, manifest: string): void {
    this.#manifests.set(content, manifest);
  }

  report(step: BuildStep): void {
    this.#steps.push(step);
  }

  steps(): PlannedStep[] {
    return this.#steps.map(({ name, kind, outcome, reasons }) => {
      const lastDuration = this.#lastDuration(name);
      return {
        name,
        kind,
        outcome: outcome === "cached" ? "cached" : "run",
        reasons,
        ...(lastDuration === undefined ? {} : { lastDuration }),
      };
    });
  }

  #lastDuration(name: string): number | undefined {
    const ran = this.#former()
      .flat()
      .find((step) => step.name === name && step.outcome === "ran");
    return ran && ran.completed - ran.started;
  }
}
