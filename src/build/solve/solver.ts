import { randomUUID } from "node:crypto";
import { digestOf } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";
import type { Platform } from "#spec/oci-image.ts";
import type { Layer } from "#store/layer-store.ts";
import { locate } from "../build-error.ts";
import type { PlannedVertex } from "../builder.ts";
import { originsOf, reachableStages } from "../graph/build-graph.ts";
import type { CopyStep, RunStep, StageGraph, Step, WorkdirStep } from "../graph/graph-types.ts";
import { factsHold } from "../ops/base-facts.ts";
import { copyLayer } from "../ops/copy/copy-step.ts";
import { type MadeLayer, type OpOptions, withRoot } from "../ops/op-context.ts";
import type { MountedFiles } from "../ops/run/run-mounts.ts";
import { runLayer } from "../ops/run/run-step.ts";
import { workdirLayer } from "../ops/workdir-step.ts";
import type { CachedStep, ShareableCache } from "../shared-cache/export-cache.ts";
import { fromIdentity } from "./base-images.ts";
import { parseStepName } from "./build-memory.ts";
import { type CacheKey, type CopySourceKey, copyKey, rootKey, runKey, workdirKey } from "./cache-key.ts";
import type { CopySource } from "./copy-source.ts";
import { localLayers } from "./local-layers.ts";
import type { VertexProgress } from "./progress.ts";
import type { SolvedLayer, SolvedStage, SolveOptions, SolverTools } from "./solver-types.ts";
import { StepCache } from "./step-cache.ts";
import { StepReporter, type StepTrace } from "./step-reporter.ts";
import { type MountSource, StepSources } from "./step-sources.ts";

/**
 * Brings about the layers of one build, of one target or of one a platform: stages that do not need one another at the same time, the steps
 * of a stage in order, each from the cache where it can be. The first failure stops everything; when `solve` ends, nothing runs any more.
 */
export class Solver implements Disposable {
  readonly #tools: SolverTools;
  readonly #options: SolveOptions;
  readonly #cache: StepCache;
  readonly #stages = new Map<StageGraph, Promise<SolvedStage>>();
  readonly #failed = new AbortController();
  readonly #signal: AbortSignal;
  readonly #targets: readonly StageGraph[];
  readonly #reporter: StepReporter;
  readonly #sources: StepSources;
  readonly #steps: CachedStep[] = [];
  /** Cache mounts that this build has emptied. */
  readonly #emptied = new Set<Digest>();

  constructor(targets: readonly StageGraph[], tools: SolverTools, options: SolveOptions) {
    this.#targets = targets;
    this.#tools = tools;
    this.#options = options;
    this.#cache = new StepCache(tools, options.imported);
    this.#reporter = new StepReporter(options.memory, targets, options);
    this.#signal = AbortSignal.any([options.signal, this.#failed.signal]);
    this.#sources = new StepSources({
      tools,
      cache: this.#cache,
      contexts: options.contexts,
      remotes: options.remotes,
      stage: ({ stage }) => this.#stage(stage),
    });
  }

  /** The targets, in their order. Throws LocatedError for a step that fails, CancelledError on abort. */
  async solve(): Promise<readonly SolvedStage[]> {
    const all = reachableStages(this.#targets).map((stage) => this.#stage(stage));
    try {
      await Promise.all(all);
      return await Promise.all(this.#targets.map((target) => this.#stage(target)));
    } catch (error) {
      this.#failed.abort();
      await Promise.allSettled(all);
      throw error;
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
        const place = { source: step.source, vertexName: step.name, tail: vertex.tail };
        const located = locate(error, place);
        const isCanceled = located.code === "cancelled";
        trace.end(isCanceled ? "canceled" : "failed");
        if (isCanceled) vertex.cancel();
        else vertex.fail(located);
        throw located;
      }
    }
    return solved;
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
    const prepared = await this.#prepare(step, at.stage.image.platform);
    // What is linked lies on nothing, whatever it will lie on.
    const layersBelow = step.kind === "copy" && step.link ? [] : below.layers;
    const root = rootKey(layersBelow.map(({ contentId }) => contentId));
    const key = this.#keyOf(prepared, at.stage, root);
    trace.keyed(key, keysRead(prepared));
    if (below.isPending) return wouldRun(at, below);
    const isAnew = this.#isAnew(at.stage);
    const found = isAnew ? undefined : await this.#find(prepared, below, key, root);
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
    const made = await this.#execute(prepared, { ...below, layers: layersBelow }, key, root, { vertex, isAnew });
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
  async #find(
    prepared: PreparedStep,
    below: SolvedStage,
    key: CacheKey,
    root: Digest,
  ): Promise<SolvedLayer | undefined> {
    const description = { record: key.record, root, name: prepared.step.name };
    const found = this.#cache.find(key.key, description);
    if (found || prepared.kind !== "copy" || prepared.step.link) return found;
    const floating = copyKey(prepared.step, undefined, prepared.files.keys).key;
    const candidates = this.#cache.findFloating(floating);
    if (candidates.length === 0) return undefined;
    const layers = await localLayers(below.layers, this.#signal);
    const fitting = await withRoot(this.#tools.ops, layers, async (base) =>
      candidates.find(({ facts }) => factsHold(facts, prepared.step, base)),
    );
    if (fitting)
      this.#cache.add(key, root, prepared.step.name, fitting.solved, { key: floating, facts: fitting.facts });
    return fitting?.solved;
  }

  async #prepare(step: Step, platform: Platform): Promise<PreparedStep> {
    switch (step.kind) {
      case "run":
        return { kind: "run", step, platform, mounts: await this.#sources.mounts(step) };
      case "workdir":
        return { kind: "workdir", step };
      case "copy":
        return { kind: "copy", step, files: await this.#sources.copy(step) };
    }
  }

  #isFreshCache(key: Digest): boolean {
    if (!this.#options.noCache || this.#emptied.has(key)) return false;
    this.#emptied.add(key);
    return true;
  }

  #keyOf(prepared: PreparedStep, stage: StageGraph, root: Digest): CacheKey {
    switch (prepared.kind) {
      case "run":
        return runKey(prepared.step, root, stage.image.platform, this.#options.extraHosts, keysRead(prepared));
      case "workdir":
        return workdirKey(prepared.step, root);
      case "copy":
        return copyKey(prepared.step, root, prepared.files.keys);
    }
  }

  /** Carries the step out, or waits for another build that does. */
  async #execute(
    prepared: PreparedStep,
    below: SolvedStage,
    key: CacheKey,
    root: Digest,
    { vertex, isAnew }: { readonly vertex: VertexProgress; readonly isAnew: boolean },
  ): Promise<SolvedLayer> {
    const { isTrial } = this.#options;
    vertex.start();
    // A build without cache wants the step done anew, not the run of one that began before it asked.
    const identity = isTrial ? `trial ${randomUUID()}` : isAnew ? `fresh ${key.key}` : key.key;
    const solved = await this.#tools.inFlight.join(
      identity,
      async (report, signal) => {
        const options: OpOptions = {
          signal,
          extraHosts: this.#options.extraHosts,
          limits: this.#options.limits,
          secrets: this.#options.secrets,
          sshAgents: this.#options.sshAgents,
          isFreshCache: (cache) => this.#isFreshCache(cache),
          onOutput: (stream, bytes) => report({ stream, bytes: Uint8Array.from(bytes) }),
          ...this.#failedRootListener(prepared.step.name),
        };
        const layers = await localLayers(below.layers, signal);
        const { layer, contentId = layer.diffId, facts } = await this.#carryOut(prepared, layers, options);
        const made: SolvedLayer = { layer, contentId, created: Date.now() };
        const floating =
          facts && prepared.kind === "copy"
            ? { key: copyKey(prepared.step, undefined, prepared.files.keys).key, facts }
            : undefined;
        if (!isTrial) this.#cache.add(key, root, prepared.step.name, made, floating);
        return made;
      },
      ({ stream, bytes }) => vertex.log(stream, bytes),
      this.#signal,
    );
    vertex.complete();
    // What took a container to make is worth a commit of its own.
    if (prepared.kind === "run") this.#cache.flush();
    return solved;
  }

  /** Only a build that is remembered can be asked for what a failed step left. */
  #failedRootListener(step: string): Pick<OpOptions, "onFailedRoot"> {
    const { memory } = this.#options;
    if (!memory?.failed) return {};
    return {
      onFailedRoot: (root) => {
        this.#cache.keepFailed(root.layers, step);
        memory.failed?.({ ...root, step });
      },
    };
  }

  async #carryOut(prepared: PreparedStep, below: readonly Layer[], options: OpOptions): Promise<MadeLayer> {
    const { ops } = this.#tools;
    switch (prepared.kind) {
      case "run": {
        const { step, platform, mounts } = prepared;
        return await runLayer({ step, platform, below, sources: await mounted(mounts, options) }, ops, options);
      }
      case "workdir":
        return { layer: await workdirLayer(prepared.step, below, ops, options) };
      case "copy": {
        const { step, files } = prepared;
        return await files.use((parts) => copyLayer({ step, below, parts }, ops, options));
      }
    }
  }
}

function keysRead(prepared: PreparedStep): readonly CopySourceKey[] {
  if (prepared.kind === "copy") return prepared.files.keys;
  return prepared.kind === "run" ? prepared.mounts.map(({ key }) => key) : [];
}

async function mounted(mounts: readonly MountSource[], options: OpOptions): Promise<readonly MountedFiles[]> {
  const opened: MountedFiles[] = [];
  for (const { mount, key, files } of mounts) opened.push({ mount, content: key.content, files: await files(options) });
  return opened;
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

/** A step, and what it reads: its key depends on that. */
type PreparedStep =
  | {
      readonly kind: "run";
      readonly step: RunStep;
      readonly platform: Platform;
      readonly mounts: readonly MountSource[];
    }
  | { readonly kind: "workdir"; readonly step: WorkdirStep }
  | { readonly kind: "copy"; readonly step: CopyStep; readonly files: CopySource };

/** What a build of `targets` carries out, in the order of the Dockerfile. */
export function plannedVertexes(targets: readonly StageGraph[]): readonly PlannedVertex[] {
  const stages = [...reachableStages(targets)].sort((a, b) => a.index - b.index);
  return stages.flatMap(({ base, listing, ...stage }) =>
    listing.map(({ text, step }, place) => ({
      text,
      ...(step ? { vertex: digestOf(identityOf(stage, step)) } : {}),
      ...(place === 0 && base.kind === "image" ? { image: base.image.id } : {}),
    })),
  );
}

/** Tells the steps of one build apart. */
function identityOf({ index }: Pick<StageGraph, "index">, { variant, name }: Step): string {
  return `${index}${variant === undefined ? "" : `.${variant}`} ${name}`;
}
