import { BerthError } from "#errors/errors.ts";
import { allEnded } from "#lib/all-ended.ts";
import { locate } from "../build-error.ts";
import { originsOf, reachableStages } from "../graph/build-graph.ts";
import type { StageGraph, Step } from "../graph/graph-types.ts";
import { factsHold } from "../ops/base-facts.ts";
import { withRoot } from "../ops/op-context.ts";
import type { CachedStep, ShareableCache } from "../shared-cache/export-cache.ts";
import { fromIdentity } from "./base-images.ts";
import { parseStepName } from "./build-memory.ts";
import { copyKey, rootKey } from "./cache-key.ts";
import { localLayers } from "./local-layers.ts";
import { identityOf } from "./planned-vertexes.ts";
import { type KeyedStep, keyOfStep, keysRead, prepareStep } from "./prepared-step.ts";
import type { VertexProgress } from "./progress.ts";
import type { SolvedLayer, SolvedStage, SolveOptions, SolverTools } from "./solver-types.ts";
import { StepCache } from "./step-cache.ts";
import { StepReporter, type StepTrace } from "./step-reporter.ts";
import { StepRunner } from "./step-runner.ts";
import { StepSources } from "./step-sources.ts";

/**
 * Brings about the layers of one build, of one target or of one a platform: stages that do not need one another at the same time, the steps
 * of a stage in order, each from the cache where it can be. The first failure stops everything; when `solve` ends, nothing runs any more.
 */
export class Solver implements Disposable {
  readonly #tools: SolverTools;
  readonly #options: SolveOptions;
  readonly #cache: StepCache;
  readonly #stages = new Map<StageGraph, Promise<SolvedStage>>();
  /** What steps have failed with: those who read of them pass it on, and it is told once. */
  readonly #failures = new WeakSet<object>();
  readonly #signal: AbortSignal;
  readonly #targets: readonly StageGraph[];
  readonly #reporter: StepReporter;
  readonly #sources: StepSources;
  readonly #steps: CachedStep[] = [];
  readonly #runner: StepRunner;

  constructor(targets: readonly StageGraph[], tools: SolverTools, options: SolveOptions) {
    this.#targets = targets;
    this.#tools = tools;
    this.#options = options;
    this.#cache = new StepCache(tools, options.imported);
    this.#runner = new StepRunner(tools, options, this.#cache);
    this.#reporter = new StepReporter(options.memory, targets, options);
    this.#signal = options.signal;
    this.#sources = new StepSources({
      tools,
      cache: this.#cache,
      contexts: options.contexts,
      remotes: options.remotes,
      stage: ({ stage }) => this.#stage(stage),
      signal: options.signal,
    });
  }

  /** The targets, in their order. Throws LocatedError for a step that fails, CancelledError on abort. */
  async solve(): Promise<readonly SolvedStage[]> {
    const all = reachableStages(this.#targets).map((stage) => this.#stage(stage));
    try {
      await allEnded(all, this.#options.stop);
      return await Promise.all(this.#targets.map((target) => this.#stage(target)));
    } finally {
      this.#options.progress.cancelOpen();
    }
  }

  /** What the solved build leaves to share, with one of its targets as its result. */
  shareable(target: Pick<SolvedStage, "layers">): ShareableCache {
    return { steps: this.#steps, contents: this.#cache.contents, result: target.layers };
  }

  [Symbol.dispose](): void {
    this.#cache[Symbol.dispose]();
  }

  #stage(stage: StageGraph): Promise<SolvedStage> {
    let solved = this.#stages.get(stage);
    if (!solved) {
      solved = this.#solveStage(stage);
      this.#stages.set(stage, solved);
    }
    return solved;
  }

  async #solveStage(stage: StageGraph): Promise<SolvedStage> {
    let solved = await this.#base(stage);
    for (const step of stage.steps) {
      const vertex = this.#options.progress.vertex(identityOf(stage, step), step.name);
      const trace = this.#reporter.begin(step, stage);
      try {
        solved = await this.#step({ step, stage, vertex, trace }, solved);
      } catch (error) {
        throw this.#failed(error, { step, stage, vertex, trace });
      }
    }
    return solved;
  }

  /** Tells of a step that has failed; of one that only reads from such a one no more than that it was not carried out. */
  #failed(error: unknown, { step, vertex, trace }: StepPlace): BerthError {
    const isPassedOn = error instanceof BerthError && this.#failures.has(error);
    const located = isPassedOn
      ? error
      : locate(error, { source: step.source, vertexName: step.name, tail: vertex.tail });
    const isOwn = !isPassedOn && located.code !== "cancelled";
    trace.end(isOwn ? "failed" : "canceled");
    if (isOwn) vertex.fail(located);
    else vertex.cancel();
    this.#failures.add(located);
    return located;
  }

  async #base(stage: StageGraph): Promise<SolvedStage> {
    const { base } = stage;
    if (base.kind === "stage") return await this.#stage(base.stage);
    const layers = base.kind === "image" ? base.image.layers : [];
    this.#reporter.from(stage);
    // A pull has shown it already; else the image was there.
    if (base.kind === "image") this.#options.progress.vertex(fromIdentity(base), base.name).cached();
    if (base.kind === "image" && base.image.isMissing)
      return { ran: `FROM ${base.reference}`, layers: [], isPending: true };
    return {
      ran: undefined,
      layers: layers.map((layer) => ({ layer, contentId: layer.diffId, created: undefined })),
    };
  }

  async #step(at: StepPlace, below: SolvedStage): Promise<SolvedStage> {
    const { step, vertex, trace } = at;
    this.#signal.throwIfAborted();
    const missing = await this.#missingInput(step);
    if (missing !== undefined) return wouldRun(at, { ...below, ran: missing });
    const prepared = await prepareStep(step, at.stage.image.platform, this.#sources);
    // What is linked lies on nothing, whatever it will lie on.
    const layersBelow = step.kind === "copy" && step.link ? [] : below.layers;
    const root = rootKey(layersBelow.map(({ contentId }) => contentId));
    const key = keyOfStep(prepared, root, this.#options.extraHosts);
    trace.keyed(key, keysRead(prepared));
    if (below.isPending) return wouldRun(at, below);
    const isAnew = this.#isAnew(at.stage);
    const keyed = { prepared, below: layersBelow, root, key };
    const found = isAnew ? undefined : await this.#find(keyed);
    if (found) {
      vertex.cached();
      trace.end("cached", found);
      this.#steps.push({ key: key.key, description: step.name, made: found, below: layersBelow });
      return { ran: below.ran, layers: [...below.layers, found] };
    }
    if (this.#options.isPlan) return wouldRun(at, below);
    const reasons = trace.missed(below.ran);
    // Who asks for everything anew knows why.
    if (!isAnew) vertex.explain(reasons);
    const made = await this.#runner.run(keyed, { vertex, isAnew, signal: this.#signal });
    trace.end("ran", made);
    this.#steps.push({ key: key.key, description: step.name, made, below: layersBelow });
    return { ran: parseStepName(step.name).label, layers: [...below.layers, made] };
  }

  /** Whether a stage's steps run although they may be cached. */
  #isAnew({ index }: StageGraph): boolean {
    const { noCache, noCacheStages, isTrial } = this.#options;
    return noCache || isTrial || noCacheStages.has(index);
  }

  /** In a plan: the step whose outcome this one reads and that has none yet. */
  async #missingInput(step: Step): Promise<string | undefined> {
    if (!this.#options.isPlan) return undefined;
    for (const origin of originsOf(step)) {
      const from = origin.kind === "stage" ? await this.#stage(origin.stage) : undefined;
      if (from?.isPending) return from.ran;
    }
    return undefined;
  }

  /** By its key; for COPY also the layer that the same made over another root that looks the same where it matters. */
  async #find({ prepared, below, root, key }: KeyedStep): Promise<SolvedLayer | undefined> {
    const description = { record: key.record, root, name: prepared.step.name };
    const found = this.#cache.find(key.key, description);
    if (found || prepared.kind !== "copy" || prepared.step.link) return found;
    const floating = copyKey(prepared.step, undefined, prepared.files.keys).key;
    const candidates = this.#cache.findFloating(floating);
    if (candidates.length === 0) return undefined;
    const layers = await localLayers(below, this.#signal);
    const fitting = await withRoot(this.#tools.ops, layers, async (base) =>
      candidates.find(({ facts }) => factsHold(facts, prepared.step, base)),
    );
    if (fitting)
      this.#cache.add(key, root, prepared.step.name, fitting.solved, { key: floating, facts: fitting.facts });
    return fitting?.solved;
  }
}

/** A plan's step that a build would carry out: what comes after it is not known. */
function wouldRun({ step, trace }: StepPlace, below: SolvedStage): SolvedStage {
  trace.missed(below.ran);
  trace.end("ran");
  return { layers: below.layers, ran: parseStepName(step.name).label, isPending: true };
}

/** One step in its stage, and those who follow it. */
interface StepPlace {
  readonly step: Step;
  readonly stage: StageGraph;
  readonly vertex: VertexProgress;
  readonly trace: StepTrace;
}
