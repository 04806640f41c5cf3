import type { Entitlement, NamedContexts } from "#build/build-client.ts";
import { BuildError } from "#build/build-error.ts";
import type { BuildRequest, BuildResult, PlannedVertex } from "#build/builder.ts";
import type { CallResult } from "#build/check/answer-call.ts";
import { parseFrontendCall } from "#build/check/frontend-calls.ts";
import { contextFromTar } from "#build/context/context-from-tar.ts";
import type { ContextStore } from "#build/context/context-store.ts";
import type { OpenContext } from "#build/context/open-context.ts";
import type { DockerfileBuilder } from "#build/dockerfile-builder.ts";
import { parseCacheFrom, parseCacheTo } from "#build/shared-cache/cache-options.ts";
import type { Pruned } from "#engine/containers/prune.ts";
import type { LayerKeeper } from "#engine/images/image-context.ts";
import { userMessage } from "#errors/disk-full.ts";
import { CancelledError, ForbiddenError, NotFoundError } from "#errors/errors.ts";
import { hostPlatform } from "#formats/platform.ts";
import type { SentContext } from "#spec/berth-api.ts";
import type { BuildAdvice } from "#spec/build-advice.ts";
import type { BuildPlan, DebugRoot, FailedRoot } from "#spec/build-record.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageConfig } from "#spec/oci-image.ts";
import type { BuildFailure } from "#spec/solve-status.ts";
import type { BuildCacheStore } from "#store/build-cache.ts";
import type { BuildCacheUsage } from "#store/build-cache-record.ts";
import type { LayerProvider } from "#store/layer-store.ts";
import type { BuildHistory } from "./build-history.ts";
import { CacheBudget, type CachePolicy } from "./cache-budget.ts";
import { type BuildCacheEntry, cacheEntries } from "./cache-entries.ts";
import type { CacheMountService } from "./cache-mount-service.ts";
import { type CachePruneOptions, choosePrunable } from "./cache-prune.ts";
import { remoteInput, sentContexts } from "./sent-contexts.ts";

export type { BuildCacheUsage, BuildRequest, BuildResult, OpenContext, PlannedVertex };

export interface BuildServiceParts {
  readonly contexts: ContextStore;
  readonly cache: BuildCacheStore;
  readonly builder: DockerfileBuilder;
  readonly history: BuildHistory;
  readonly cacheMounts: CacheMountService;
  readonly layers: Pick<LayerKeeper, "removeUnreferenced" | "settled" | "withLease"> & LayerProvider;
  /** Plain bytes of a stream that may be gzip or zstd. */
  readonly inflate: (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  /** Makes an image of layers that exist, without a name. */
  readonly createImage: (config: ImageConfig) => Promise<Digest>;
  /** Bytes that the disk of the data root has free. */
  readonly freeSpace: () => number;
  /** What a client's `--allow` can grant. */
  readonly entitlements: readonly Entitlement[];
  /** What the cache may cost. */
  readonly policy: CachePolicy;
  readonly warn: (message: string) => void;
  /** For contexts that live as long as one build. */
  readonly temporaryDirectory: string;
}

export interface BuildHooks<T> {
  /** Hears the record's id before anything runs. */
  readonly onRecord?: (id: string) => void;
  /** Leave no record and explain nothing: a part of another build. */
  readonly isUnrecorded?: boolean;
  /** Brings the images where they are wanted: part of the build, and of its record. */
  readonly deliver?: (built: BuildResult, onStatus: BuildRequest["onStatus"]) => Promise<T>;
}

export interface RecordedResult<T = undefined> extends BuildResult {
  readonly delivered: T | undefined;
  /** Of the build's record: `berth build history inspect ID`. */
  readonly buildId: string;
}

/** Builds, and what they leave behind: contexts and cache. */
export class BuildService {
  readonly contexts: ContextStore;
  readonly history: BuildHistory;
  readonly cacheMounts: CacheMountService;
  readonly #parts: BuildServiceParts;
  readonly #budget: CacheBudget;

  constructor(parts: BuildServiceParts) {
    this.#budget = new CacheBudget(parts.policy, (options) => this.prune(options), parts.warn);
    this.contexts = parts.contexts;
    this.history = parts.history;
    this.cacheMounts = parts.cacheMounts;
    this.#parts = parts;
  }

  /**
   * Builds an image, or one a platform under the same names, delivers it and records how that went. Throws BuildError (with what to show of
   * the failure), CancelledError.
   */
  async build<T = undefined>(
    request: BuildRequest,
    { onRecord, deliver, isUnrecorded }: BuildHooks<T> = {},
  ): Promise<RecordedResult<T>> {
    this.#checkEntitlements(request);
    if (isUnrecorded) {
      const result = await this.#parts.builder.build(request);
      return { ...result, buildId: "", delivered: await deliver?.(result, request.onStatus) };
    }
    const running = this.history.begin(request);
    const onStatus: BuildRequest["onStatus"] = (status) => {
      running.status(status);
      request.onStatus(status);
    };
    onRecord?.(running.id);
    try {
      const result = await this.#parts.builder.build({ ...request, onStatus, memory: running });
      const delivered = await deliver?.(result, onStatus);
      running.end({ status: "completed", imageId: result.imageId });
      return { ...result, buildId: running.id, delivered };
    } catch (error) {
      const status = error instanceof CancelledError ? "canceled" : "error";
      running.end({ status, error: buildFailure(error).message });
      if (running.hasFailedRoot) await this.#dropSupersededRoot(running.id);
      throw error;
    } finally {
      this.#budget.buildEnded();
    }
  }

  /** Before anything runs, as BuildKit. */
  #checkEntitlements({ entitlements = [] }: BuildRequest): void {
    const refused = entitlements.find((asked) => !this.#parts.entitlements.some((known) => isGranted(asked, known)));
    if (refused === undefined) return;
    const key = refused.replace(".", "-");
    throw new ForbiddenError(
      `${refused} is not allowed: it needs "builder": {"entitlements": {"${key}": true}} in this engine's daemon.json`,
    );
  }

  /** One failed step's root is kept. */
  async #dropSupersededRoot(id: string): Promise<void> {
    const layer = this.history.supersededRoot(id);
    if (layer) await this.#parts.layers.removeUnreferenced([layer]);
  }

  /** Builds with nothing from the cache and nothing into it, unrecorded. Throws as `build`. */
  async buildTrial(request: BuildRequest): Promise<BuildResult> {
    const { onPlan: _, ...known } = request;
    return await this.#parts.builder.build({ ...known, isTrial: true, cacheTo: [] });
  }

  /** What a build would find cached and what it would run. Throws as `build` does before its first step. */
  async plan(request: BuildRequest): Promise<BuildPlan> {
    this.#checkEntitlements(request);
    const memory = this.history.planner(request);
    await this.#parts.builder.plan({ ...request, memory });
    return { steps: memory.steps() };
  }

  /** What the Dockerfile says of itself: checks, outline or targets. Throws BuildError, InvalidParameterError for another call. */
  call(name: string, request: BuildRequest): Promise<CallResult> {
    return this.#parts.builder.call(parseFrontendCall(name), request);
  }

  /** For what is written only to be sent: on the disk of the data root, emptied at start-up. */
  get temporaryDirectory(): string {
    return this.#parts.temporaryDirectory;
  }

  /** `--build-context`s, held by `stack`. Throws NotFoundError for one that was not sent. */
  namedContexts(contexts: Readonly<Record<string, SentContext>>, stack: AsyncDisposableStack): NamedContexts {
    return sentContexts(contexts, this.contexts, stack);
  }

  /** A context that the engine fetches; the Dockerfile is the client's when it has sent one. */
  remoteInput(
    url: string,
    sent: { readonly id: string; readonly name: string } | undefined,
    stack: AsyncDisposableStack,
  ): BuildRequest["input"] {
    return remoteInput(url, sent, this.contexts, stack);
  }

  /** How builds of the same could be shorter and smaller, by what recorded ones measured. Runs nothing. */
  async advise(request: BuildRequest): Promise<BuildAdvice> {
    const { layers } = this.#parts;
    const { advise } = await import("./advise.ts");
    return await advise(request, {
      builds: this.history.ofRequest(request),
      manifest: (content) => this.history.manifest(content),
      layers,
    });
  }

  /** An image of the root that a failed step left. Throws NotFoundError when it is no longer kept. */
  async debugRoot(reference: string): Promise<DebugRoot & { readonly imageId: Digest }> {
    const { id, failedRoot: root } = this.history.findFailed(reference);
    const { layers, createImage } = this.#parts;
    if (!root.layers.every((diffId) => layers.layer(diffId))) {
      throw new NotFoundError(
        `the root of ${root.step} is gone: another build failed since, or the build cache was pruned`,
      );
    }
    const imageId = await layers.withLease(() => createImage(debugConfig(root)));
    return { imageId, build: id, root };
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

  /** All that builds left behind and a prune may take: cached steps, contexts and cache mounts. */
  cacheEntries(steps: readonly BuildCacheUsage[] = this.cacheUsage()): BuildCacheEntry[] {
    return cacheEntries(steps, this.contexts.usage(), this.cacheMounts.list());
  }

  /** What a prune would take of `entries`. Throws InvalidParameterError for a bad filter. */
  prunable(
    options: CachePruneOptions,
    entries: readonly BuildCacheEntry[] = this.cacheEntries(),
  ): readonly BuildCacheEntry[] {
    return choosePrunable(entries, options, this.#parts.freeSpace());
  }

  /**
   * Forgets what builds left behind and none uses, the longest unused first, as far as filters and space limits say; with `all` also
   * steps whose layer an image has. Layers that nothing else needs go along. Throws InvalidParameterError for a bad filter.
   */
  async prune(options: CachePruneOptions): Promise<Pruned> {
    const chosen = this.prunable(options);
    this.#parts.cache.remove(chosen.flatMap(({ step }) => step ?? []));
    const { freedBytes } = await this.#parts.layers.removeUnreferenced([
      ...new Set(chosen.flatMap(({ layer }) => layer ?? [])),
    ]);
    await this.#parts.layers.settled();
    const contextBytes = this.contexts.drop(chosen.flatMap(({ context }) => context ?? []));
    const mountBytes = await this.cacheMounts.removeUnused(chosen.flatMap(({ mount }) => mount ?? []));
    return { deleted: chosen.map(({ id }) => id), reclaimed: freedBytes + contextBytes + mountBytes };
  }

  async close(): Promise<void> {
    this.#budget[Symbol.dispose]();
    await this.#budget.settled();
    this.history.close();
    this.contexts.close();
  }
}

/** A device is granted by its own name or with all of them. */
function isGranted(asked: Entitlement, known: Entitlement): boolean {
  return asked === known || asked.startsWith(`${known}=`);
}

function debugConfig({ env, cwd, user, layers, step }: FailedRoot): ImageConfig {
  const { os, architecture } = hostPlatform();
  return {
    os,
    architecture,
    created: new Date().toISOString(),
    config: { Env: [...env], WorkingDir: cwd, User: user, Cmd: ["/bin/sh"] },
    rootfs: { type: "layers", diff_ids: layers },
    history: [{ created_by: `the failed root of ${step}` }],
  };
}

/** Reads `--cache-from` and `--cache-to`. Throws InvalidParameterError, NotImplementedError. */
export function sharedCacheOptions(
  from: readonly string[],
  to: readonly string[],
): Pick<BuildRequest, "cacheFrom" | "cacheTo"> {
  return { cacheFrom: from.map(parseCacheFrom), cacheTo: to.map(parseCacheTo) };
}

/** What a client shows of a build that failed. */
export function buildFailure(error: unknown): BuildFailure {
  if (error instanceof BuildError) return error.failure;
  return { message: error instanceof CancelledError ? "context canceled" : userMessage(error) };
}
