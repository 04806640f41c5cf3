import { randomUUID } from "node:crypto";
import { CancelledError } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";
import type { Layer } from "#store/layer-store.ts";
import { copyLayer } from "../ops/copy/copy-step.ts";
import type { MadeLayer, OpOptions } from "../ops/op-context.ts";
import type { MountedFiles } from "../ops/run/run-mounts.ts";
import { runLayer } from "../ops/run/run-step.ts";
import { workdirLayer } from "../ops/workdir-step.ts";
import { copyKey } from "./cache-key.ts";
import { localLayers } from "./local-layers.ts";
import type { KeyedStep, PreparedStep } from "./prepared-step.ts";
import type { VertexProgress } from "./progress.ts";
import type { SolvedLayer, SolveOptions, SolverTools } from "./solver-types.ts";
import type { StepCache } from "./step-cache.ts";
import type { StepOutput } from "./step-output.ts";
import type { MountSource } from "./step-sources.ts";

interface RunOptions {
  /** Where it is shown. */
  readonly vertex: VertexProgress;
  /** Not what another build began before. */
  readonly isAnew: boolean;
  readonly signal: AbortSignal;
}

/** The build that began a step ended before the step did. Those who joined it begin it anew. */
class AbandonedStepError extends CancelledError {
  constructor(cause: unknown) {
    super("context canceled", { cause });
  }
}

/** Carries the steps of one build out that the cache does not have, and puts them there. */
export class StepRunner {
  readonly #tools: SolverTools;
  readonly #options: SolveOptions;
  readonly #cache: StepCache;
  /** Cache mounts that this build has emptied. */
  readonly #emptied = new Set<Digest>();

  constructor(tools: SolverTools, options: SolveOptions, cache: StepCache) {
    this.#tools = tools;
    this.#options = options;
    this.#cache = cache;
  }

  /** Carries the step out, or waits for another build that does. Throws what it fails with, CancelledError on abort. */
  async run(keyed: KeyedStep, options: RunOptions): Promise<SolvedLayer> {
    options.vertex.start();
    const solved = await this.#shared(keyed, options);
    options.vertex.complete();
    // What took a container to make is worth a commit of its own.
    if (keyed.prepared.kind === "run") this.#cache.flush();
    return solved;
  }

  async #shared(keyed: KeyedStep, options: RunOptions): Promise<SolvedLayer> {
    const { vertex, signal } = options;
    for (;;) {
      try {
        return await this.#tools.inFlight.join(
          this.#identity(keyed, options),
          (report, stopped) => this.#begin(keyed, options, report, stopped),
          ({ stream, bytes }) => vertex.log(stream, bytes),
          signal,
        );
      } catch (error) {
        if (!(error instanceof AbandonedStepError)) throw error;
      }
    }
  }

  /** A build without cache wants the step done anew, not the run of one that began before it asked. */
  #identity({ key }: KeyedStep, { isAnew }: RunOptions): string {
    if (this.#options.isTrial) return `trial ${randomUUID()}`;
    return isAnew ? `fresh ${key.key}` : key.key;
  }

  /** The step as this build's own. `stopped` aborts when nobody waits for it any more. */
  async #begin(
    keyed: KeyedStep,
    { signal }: RunOptions,
    report: (output: StepOutput) => void,
    stopped: AbortSignal,
  ): Promise<SolvedLayer> {
    const { prepared, below, root, key } = keyed;
    const options: OpOptions = {
      signal: stopped,
      extraHosts: this.#options.extraHosts,
      limits: this.#options.limits,
      secrets: this.#options.secrets,
      sshAgents: this.#options.sshAgents,
      isFreshCache: (cache) => this.#isFreshCache(cache),
      onOutput: (stream, bytes) => report({ stream, bytes: new Uint8Array(bytes) }),
      ...this.#failedRootListener(prepared.step.name),
    };
    try {
      const layers = await localLayers(below, stopped);
      const { layer, contentId = layer.diffId, facts } = await this.#carryOut(prepared, layers, options);
      const made: SolvedLayer = { layer, contentId, created: Date.now() };
      const floating =
        facts && prepared.kind === "copy"
          ? { key: copyKey(prepared.step, undefined, prepared.files.keys).key, facts }
          : undefined;
      if (!this.#options.isTrial) this.#cache.add(key, root, prepared.step.name, made, floating);
      return made;
    } catch (error) {
      // What it read from, its client and its scratch files, has gone with its build; others may go on with their own.
      throw signal.aborted && !stopped.aborted ? new AbandonedStepError(error) : error;
    }
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

  #isFreshCache(key: Digest): boolean {
    if (!this.#options.noCache || this.#emptied.has(key)) return false;
    this.#emptied.add(key);
    return true;
  }
}

async function mounted(mounts: readonly MountSource[], options: OpOptions): Promise<readonly MountedFiles[]> {
  const opened: MountedFiles[] = [];
  for (const { mount, key, files } of mounts) opened.push({ mount, content: key.content, files: await files(options) });
  return opened;
}
