import { BuildError } from "#build/build-error.ts";
import type { BuildRequest, BuildResult, PlannedVertex } from "#build/builder.ts";
import { contextFromTar } from "#build/context/context-from-tar.ts";
import type { ContextStore } from "#build/context/context-store.ts";
import type { OpenContext } from "#build/context/open-context.ts";
import type { DockerfileBuilder } from "#build/dockerfile-builder.ts";
import type { Pruned } from "#engine/containers/prune.ts";
import { checkFilters, type Filters, labelsFit, untilFilter } from "#engine/filters.ts";
import type { LayerKeeper } from "#engine/images/image-context.ts";
import { userMessage } from "#errors/disk-full.ts";
import { CancelledError } from "#errors/errors.ts";
import type { BuildPlan } from "#spec/build-record.ts";
import type { BuildFailure } from "#spec/solve-status.ts";
import type { BuildCacheStore } from "#store/build-cache.ts";
import type { BuildCacheUsage } from "#store/build-cache-record.ts";
import type { BuildHistory } from "./build-history.ts";

export type { BuildCacheUsage, BuildRequest, OpenContext, PlannedVertex };

export interface BuildServiceParts {
  readonly contexts: ContextStore;
  readonly cache: BuildCacheStore;
  readonly builder: DockerfileBuilder;
  readonly history: BuildHistory;
  readonly layers: Pick<LayerKeeper, "removeUnreferenced" | "settled">;
  /** Plain bytes of a stream that may be gzip or zstd. */
  readonly inflate: (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  /** For contexts that live as long as one build. */
  readonly temporaryDirectory: string;
}

export interface CachePruneOptions {
  /** Also steps whose layer an image has. */
  readonly all: boolean;
  readonly filters: Filters;
}

export interface RecordedResult extends BuildResult {
  /** Of the build's record: `berth build history inspect ID`. */
  readonly buildId: string;
}

/** Builds, and what they leave behind: contexts and cache. */
export class BuildService {
  readonly contexts: ContextStore;
  readonly history: BuildHistory;
  readonly #parts: BuildServiceParts;

  constructor(parts: BuildServiceParts) {
    this.contexts = parts.contexts;
    this.history = parts.history;
    this.#parts = parts;
  }

  /**
   * Builds an image and records how that went; `onRecord` hears the record's id before anything runs. Throws BuildError (with what to show of
   * the failure), CancelledError.
   */
  async build(request: BuildRequest, onRecord?: (id: string) => void): Promise<RecordedResult> {
    const running = this.history.begin(request);
    const onStatus: BuildRequest["onStatus"] = (status) => {
      running.status(status);
      request.onStatus(status);
    };
    onRecord?.(running.id);
    try {
      const result = await this.#parts.builder.build({ ...request, onStatus, memory: running });
      running.end({ status: "completed", imageId: result.imageId });
      return { ...result, buildId: running.id };
    } catch (error) {
      const status = error instanceof CancelledError ? "canceled" : "error";
      running.end({ status, error: buildFailure(error).message });
      throw error;
    }
  }

  /** What a build would find cached and what it would run. Throws as `build` does before its first step. */
  async plan(request: BuildRequest): Promise<BuildPlan> {
    const memory = this.history.planner(request);
    await this.#parts.builder.plan({ ...request, memory });
    return { steps: memory.steps() };
  }

  /** The context that `tar` (plain, gzip or zstd) holds, for one build. Throws InvalidParameterError for names that lead out. */
  contextFromTar(tar: AsyncIterable<Uint8Array>, dockerfileName: string): Promise<OpenContext> {
    return contextFromTar(this.#parts.inflate(tar), {
      directory: this.#parts.temporaryDirectory,
      dockerfile: dockerfileName,
    });
  }

  /** Cached steps and what they cost, the longest unused first. */
  cacheUsage(): BuildCacheUsage[] {
    return this.#parts.cache.list();
  }

  /**
   * Forgets cached steps that no build uses, and with them the layers that nothing else needs; with `all` also those whose layer an image
   * has. The filter `until` spares what was used later; cached steps have no labels. Contexts go too. Throws InvalidParameterError
   * for a bad filter.
   */
  async prune(options: CachePruneOptions): Promise<Pruned> {
    const until = usedBefore(options.filters);
    const removed = this.#parts.cache.prune(prunableStep(options));
    const { freedBytes } = await this.#parts.layers.removeUnreferenced(removed.flatMap(({ diffId }) => diffId ?? []));
    await this.#parts.layers.settled();
    const contextBytes = this.contexts.prune(until);
    return {
      deleted: removed.map(({ key }) => key.slice("sha256:".length, "sha256:".length + 25)),
      reclaimed: freedBytes + contextBytes,
    };
  }

  /** Bytes of the contexts that such a prune drops. Throws InvalidParameterError for a bad filter. */
  prunableContextBytes({ filters }: CachePruneOptions): number {
    return this.contexts.usage(usedBefore(filters)).reduce((total, { bytes }) => total + bytes, 0);
  }

  close(): void {
    this.history.close();
    this.contexts.close();
  }
}

/** Tells whether a prune forgets a cached step. Throws InvalidParameterError for a bad filter. */
export function prunableStep({ all, filters }: CachePruneOptions): (record: BuildCacheUsage) => boolean {
  const until = usedBefore(filters);
  return (record) => !record.inUse && record.lastUsed < until && (all || !record.shared);
}

/** What was last used before this time, ms since the epoch, goes: nothing when the filters ask for labels. */
function usedBefore(filters: Filters): number {
  checkFilters(filters, ["until", "label", "label!"]);
  return labelsFit(filters, {}) ? untilFilter(filters) : Number.NEGATIVE_INFINITY;
}

/** What a client shows of a build that failed. */
export function buildFailure(error: unknown): BuildFailure {
  if (error instanceof BuildError) return error.failure;
  return { message: error instanceof CancelledError ? "context canceled" : userMessage(error) };
}
