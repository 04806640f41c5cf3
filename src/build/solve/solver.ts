import type { Digest } from "#spec/digest.ts";
import type { Layer } from "#store/layer-store.ts";
import { locate } from "../build-error.ts";
import { reachableStages } from "../graph/build-graph.ts";
import type { CopyStep, RunStep, StageGraph, Step, WorkdirStep } from "../graph/graph-types.ts";
import { copyLayer } from "../ops/copy-step.ts";
import { emptyTree } from "../ops/empty-tree.ts";
import type { OpOptions } from "../ops/op-context.ts";
import { runLayer } from "../ops/run-step.ts";
import { workdirLayer } from "../ops/workdir-step.ts";
import { baseKey, type CacheKey, copyKey, runKey, workdirKey } from "./cache-key.ts";
import { type CopySource, contextSource, stageSource } from "./copy-source.ts";
import type { VertexProgress } from "./progress.ts";
import type { SolvedLayer, SolvedStage, SolveOptions, SolverTools } from "./solver-types.ts";
import { StepCache } from "./step-cache.ts";

/**
 * Brings about the layers of one build: stages that do not need one another at the same time, the steps of a stage in order, each
 * from the cache where it can be. The first failure stops everything; when `solve` ends, nothing runs any more.
 */
export class Solver implements Disposable {
  readonly #tools: SolverTools;
  readonly #options: SolveOptions;
  readonly #cache: StepCache;
  readonly #stages = new Map<StageGraph, Promise<SolvedStage>>();
  readonly #failed = new AbortController();
  readonly #signal: AbortSignal;

  constructor(tools: SolverTools, options: SolveOptions) {
    this.#tools = tools;
    this.#options = options;
    this.#cache = new StepCache(tools);
    this.#signal = AbortSignal.any([options.signal, this.#failed.signal]);
  }

  /** Throws LocatedError for a step that fails, CancelledError on abort. */
  async solve(target: StageGraph): Promise<SolvedStage> {
    const all = reachableStages(target).map((stage) => this.#stage(stage));
    try {
      await Promise.all(all);
      return await this.#stage(target);
    } catch (error) {
      this.#failed.abort();
      await Promise.allSettled(all);
      throw error;
    } finally {
      this.#options.progress.cancelOpen();
    }
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
      const vertex = this.#options.progress.vertex(`${stage.index} ${step.name}`, step.name);
      try {
        solved = await this.#step(step, stage, solved, vertex);
      } catch (error) {
        const place = { source: step.source, vertexName: step.name, tail: vertex.tail };
        const located = locate(error, place);
        if (located.code === "cancelled") vertex.cancel();
        else vertex.fail(located);
        throw located;
      }
    }
    return solved;
  }

  async #base({ base }: StageGraph): Promise<SolvedStage> {
    if (base.kind === "stage") return await this.#stage(base.stage);
    const layers = base.kind === "image" ? base.image.layers : [];
    // A pull has shown it already; else the image was there.
    if (base.kind === "image") this.#options.progress.vertex(`FROM ${base.reference}`, base.name).cached();
    return { key: baseKey(layers), layers: layers.map((layer) => ({ layer, created: undefined })) };
  }

  async #step(step: Step, stage: StageGraph, below: SolvedStage, vertex: VertexProgress): Promise<SolvedStage> {
    this.#signal.throwIfAborted();
    const prepared = await this.#prepare(step);
    const key = this.#keyOf(prepared, stage, below.key);
    const found = this.#options.noCache ? undefined : this.#cache.find(key.key);
    if (found) vertex.cached();
    const solved = found ?? (await this.#execute(prepared, below, key, vertex));
    return { key: key.key, layers: [...below.layers, solved] };
  }

  async #prepare(step: Step): Promise<PreparedStep> {
    switch (step.kind) {
      case "run":
        return { kind: "run", step };
      case "workdir":
        return { kind: "workdir", step };
      case "copy":
        return { kind: "copy", step, files: await this.#filesOf(step) };
    }
  }

  async #filesOf(step: CopyStep): Promise<CopySource> {
    if (!step.from) {
      return await contextSource(step, step.sources.length > 0 ? await this.#options.context.tree() : emptyTree);
    }
    return await stageSource(step, await this.#stage(step.from), this.#cache, this.#tools);
  }

  #keyOf(prepared: PreparedStep, stage: StageGraph, below: Digest): CacheKey {
    switch (prepared.kind) {
      case "run":
        return runKey(prepared.step, below, stage.image.platform, this.#options.extraHosts);
      case "workdir":
        return workdirKey(prepared.step, below);
      case "copy":
        return copyKey(prepared.step, below, prepared.files.keys);
    }
  }

  /** Carries the step out, or waits for another build that does. */
  async #execute(
    prepared: PreparedStep,
    below: SolvedStage,
    key: CacheKey,
    vertex: VertexProgress,
  ): Promise<SolvedLayer> {
    vertex.start();
    // A build without cache wants the step done anew, not the run of one that began before it asked.
    const identity = this.#options.noCache ? `fresh ${key.key}` : key.key;
    const solved = await this.#tools.inFlight.join(
      identity,
      async (report, signal) => {
        const options: OpOptions = {
          signal,
          extraHosts: this.#options.extraHosts,
          onOutput: (stream, bytes) => report({ stream, bytes: Uint8Array.from(bytes) }),
        };
        const layers = below.layers.map(({ layer }) => layer);
        const layer = await this.#carryOut(prepared, layers, options);
        const made: SolvedLayer = { layer, created: Date.now() };
        this.#cache.add(key, below.key, prepared.step.name, made);
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

  #carryOut(prepared: PreparedStep, below: readonly Layer[], options: OpOptions): Promise<Layer> {
    const { ops } = this.#tools;
    switch (prepared.kind) {
      case "run":
        return runLayer(prepared.step, below, ops, options);
      case "workdir":
        return workdirLayer(prepared.step, below, ops, options);
      case "copy": {
        const { step, files } = prepared;
        return files.use((source, selected) => copyLayer({ step, below, source, selected }, ops, options));
      }
    }
  }
}

/** A step, and for COPY what it reads: its key depends on that. */
type PreparedStep =
  | { readonly kind: "run"; readonly step: RunStep }
  | { readonly kind: "workdir"; readonly step: WorkdirStep }
  | { readonly kind: "copy"; readonly step: CopyStep; readonly files: CopySource };
