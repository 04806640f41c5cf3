import type { BuildStep, FromInputs, StepOutcome } from "#spec/build-record.ts";
import { reachableStages } from "../graph/build-graph.ts";
import type { StageGraph, Step } from "../graph/graph-types.ts";
import type { BuildMemory } from "./build-memory.ts";
import type { CacheKey, CopySourceKey } from "./cache-key.ts";
import { explainStep } from "./explain-step.ts";
import type { SolvedLayer, SolveOptions } from "./solver-types.ts";

/** Tells a build's memory of every step, and asks it why a step misses. Does nothing in a build that nobody remembers. */
export class StepReporter {
  readonly #memory: BuildMemory | undefined;
  readonly #steps: readonly string[];
  readonly #mode: Pick<SolveOptions, "noCache" | "isPlan">;

  constructor(
    memory: BuildMemory | undefined,
    targets: readonly StageGraph[],
    mode: Pick<SolveOptions, "noCache" | "isPlan">,
  ) {
    this.#memory = memory;
    this.#steps = reachableStages(targets).flatMap(({ steps }) => steps.map(({ name }) => name));
    this.#mode = mode;
  }

  /** FROM: what the name stood for in this build. */
  from({ base }: StageGraph): void {
    const now = Date.now();
    if (base.kind !== "image") return;
    const { name, inputs } = fromOf(base);
    this.#memory?.report({
      name,
      kind: "from",
      outcome: base.image.isMissing ? "ran" : "cached",
      reasons: base.image.isMissing ? ["the image is not here: it would be pulled"] : [],
      started: now,
      completed: now,
      inputs: JSON.stringify(inputs),
    });
  }

  /** A step of `stage` that begins now. */
  begin(step: Step, stage: StageGraph): StepTrace {
    return new StepTrace(step, stage, {
      memory: this.#memory,
      steps: this.#steps,
      noCache: this.#mode.noCache,
      isPlan: this.#mode.isPlan,
    });
  }
}

interface TraceContext {
  readonly memory: BuildMemory | undefined;
  readonly steps: readonly string[];
  readonly noCache: boolean;
  readonly isPlan: boolean;
}

/** One step on its way to a report. */
export class StepTrace {
  readonly #step: Step;
  readonly #stage: StageGraph;
  readonly #context: TraceContext;
  readonly #started = Date.now();
  #key: CacheKey | undefined;
  /** What was read, as messages call it. */
  #sources: readonly string[] = [];
  #reasons: readonly string[] = [];

  constructor(step: Step, stage: StageGraph, context: TraceContext) {
    this.#step = step;
    this.#stage = stage;
    this.#context = context;
  }

  /** Its key is known, and of COPY the files that went into it. */
  keyed(key: CacheKey, sources: readonly CopySourceKey[]): void {
    this.#key = key;
    this.#sources = sourceNames(this.#step, sources);
    for (const { content, manifest } of sources) {
      if (manifest !== undefined) this.#context.memory?.keepManifest(content, manifest);
    }
  }

  /** Why it runs; `ran`: the last step below it that did. */
  missed(ran: string | undefined): readonly string[] {
    const { memory, steps, noCache, isPlan } = this.#context;
    if (!memory) return [];
    const missed = {
      name: this.#step.name,
      kind: this.#step.kind,
      inputs: this.#key?.record,
      sources: this.#sources,
      args: new Set(this.#stage.scope.buildArgs),
      steps,
      ran,
      noCache,
      isPlan,
    };
    this.#reasons = explainStep(missed, memory, rootImage(this.#stage));
    return this.#reasons;
  }

  end(outcome: StepOutcome, solved?: SolvedLayer): void {
    this.#context.memory?.report({
      name: this.#step.name,
      kind: this.#step.kind,
      outcome,
      reasons: this.#reasons,
      started: this.#started,
      completed: Date.now(),
      inputs: this.#key?.record ?? "",
      ...(this.#key ? { key: this.#key.key } : {}),
      ...(this.#sources.length > 0 ? { sources: this.#sources } : {}),
      ...(solved ? { diffId: solved.layer.diffId, size: solved.layer.contentSize } : {}),
    } satisfies BuildStep);
  }
}

/** The sources of COPY as written; the targets of RUN's mounts. */
function sourceNames(step: Step, sources: readonly CopySourceKey[]): readonly string[] {
  if (step.kind !== "copy") return sources.map(({ argument }) => `mount ${argument}`);
  return step.sources.map((source) => {
    if (source.kind === "path") return source.path;
    return source.kind === "git" ? source.source.remote : source.url;
  });
}

/** The image that a stage stands on, through the stages between. */
function rootImage({ base }: StageGraph): (FromInputs & { readonly name: string }) | undefined {
  if (base.kind === "stage") return rootImage(base.stage);
  if (base.kind !== "image") return undefined;
  const { name, inputs } = fromOf(base);
  return { name, ...inputs };
}

function fromOf({ image, reference, name }: Extract<StageGraph["base"], { kind: "image" }>): {
  readonly name: string;
  readonly inputs: FromInputs;
} {
  return { name, inputs: { reference, digest: image.manifestDigest ?? image.id } };
}
