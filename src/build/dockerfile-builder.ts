import { CancelledError } from "#errors/errors.ts";
import { hostPlatform, parsePlatform } from "#formats/platform.ts";
import { allEnded } from "#lib/all-ended.ts";
import { SharedWork } from "#lib/shared-work.ts";
import type { BuildCacheStore } from "#store/build-cache.ts";
import type { LayerProvider } from "#store/layer-store.ts";
import { type DockerfileText, toBuildError } from "./build-error.ts";
import type { BaseImage, BuildHost, BuildRequest, BuildResult } from "./builder.ts";
import { answerCall, type CallResult } from "./check/answer-call.ts";
import { CheckRemarks, definitionName } from "./check/check-remarks.ts";
import { DockerfileChecks } from "./check/dockerfile-checks.ts";
import type { FrontendCall } from "./check/frontend-calls.ts";
import type { GitRunner } from "./context/git-checkout.ts";
import { exportImages, type SolvedTarget } from "./export/export-images.ts";
import { buildGraph, imagesUsed, reachableStages } from "./graph/build-graph.ts";
import type { StageGraph } from "./graph/graph-types.ts";
import { scanTargets } from "./graph/scan-targets.ts";
import { shareStages } from "./graph/share-stages.ts";
import type { PlannedStage } from "./graph/stage-plan.ts";
import type { BuildDevices } from "./graph/step-devices.ts";
import { unusedArgs } from "./graph/unused-args.ts";
import { parseDockerfile } from "./instructions/parse-dockerfile.ts";
import type { Dockerfile } from "./instructions/types.ts";
import type { OpTools } from "./ops/op-context.ts";
import type { ShareableCache } from "./shared-cache/export-cache.ts";
import { exportCaches, importCaches } from "./shared-cache/share-cache.ts";
import type { SharedCaches } from "./shared-cache/shared-cache.ts";
import { BaseImages } from "./solve/base-images.ts";
import { BuildSources } from "./solve/build-sources.ts";
import { plannedVertexes } from "./solve/planned-vertexes.ts";
import { BuildProgress } from "./solve/progress.ts";
import { Solver } from "./solve/solver.ts";
import type { SolvedLayer, SolveOptions } from "./solve/solver-types.ts";
import { OutputReplay, type StepOutput } from "./solve/step-output.ts";
import { unfollowed } from "./unfollowed.ts";

/** The layer store as builds use it. */
export interface BuildLayers extends LayerProvider {
  ingest: OpTools["layers"]["ingest"];
  /** Runs `work` while no layer that it looks up or ingests can be removed. */
  withLease<T>(work: () => Promise<T>): Promise<T>;
}

export interface DockerfileBuilderOptions {
  readonly snapshotter: OpTools["snapshotter"];
  readonly runtime: OpTools["runtime"];
  readonly layers: BuildLayers;
  readonly cache: BuildCacheStore;
  readonly host: BuildHost;
  readonly sharedCaches: SharedCaches;
  readonly devices: BuildDevices;
  /** From `sys`, which `build` may not import. */
  readonly readXattrs: OpTools["readXattrs"];
  readonly inflate: OpTools["inflate"];
  readonly openPrivateDirectory: OpTools["openPrivateDirectory"];
  readonly git: GitRunner;
  readonly cacheMounts: OpTools["cacheMounts"];
  readonly hasEmulator: OpTools["hasEmulator"];
  /** Exists, mode 0700, on a disk with room for unpacked archives. What a crash leaves there may be removed at start-up. */
  readonly scratchDirectory: string;
}

/** Builds images from Dockerfiles: `parse → instructions → graph → solve (cache) → ops → export`. One object for all builds of an engine. */
export class DockerfileBuilder {
  readonly #options: DockerfileBuilderOptions;
  readonly #inFlight = new SharedWork<StepOutput, SolvedLayer>(() => new OutputReplay());

  constructor(options: DockerfileBuilderOptions) {
    this.#options = options;
  }

  /**
   * Builds the target of `request`, for each of its platforms at once, and tags it. Throws BuildError, whose `failure` says all that a client prints, or CancelledError
   * when `request.signal` aborts; nothing of the build runs any more then. Steps that succeeded stay in the cache.
   */
  async build(given: BuildRequest): Promise<BuildResult> {
    const progress = new BuildProgress(given.onStatus);
    try {
      return await this.#options.layers.withLease(() =>
        this.#withFile(given, progress, async ({ request, stop, sources, bytes }) => {
          const dockerfile = await this.#loadDefinition(bytes, request, progress);
          const checks = new DockerfileChecks(dockerfile, request, ignoreFileOf(request));
          const remarks = new CheckRemarks(checks, { name: request.dockerfileName, bytes }, progress);
          checks.ofFile();
          remarks.show();
          const found = new Map<number, BaseImage>();
          const [targets, imported] = await allEnded(
            [
              this.#loadGraphs(dockerfile, { request, stop, sources, progress }, found),
              importCaches(this.#options.sharedCaches, request, progress),
            ],
            stop,
          );
          checks.ofStages(checks.plannedStages(false), found);
          remarks.show();
          checks.refuse();
          sources.contexts.plan(targets);
          request.onPlan?.(plannedVertexes(targets));
          const mode = { isPlan: false, imported };
          const solved = await this.#solve(targets, dockerfile, { request, stop, sources, progress }, mode);
          const { host, layers, sharedCaches } = this.#options;
          const epoch = await sources.epoch(dockerfile, request);
          const tools = { host, layers, progress, signal: request.signal };
          const created = await exportImages(solved, { request, epoch }, tools);
          await exportCaches(sharedCaches, request, allOf(solved), progress);
          const images = created.ids.flatMap((id, at) => {
            const target = solved[at]?.target;
            return target ? [{ id, platform: target.image.platform, bases: imagesUsed(target) }] : [];
          });
          return {
            ...created,
            images,
            sources: sources.remotes.used(),
            definition: bytes,
            unusedArgs: unusedArgs(dockerfile, request),
            scanTargets: scanTargets(dockerfile, {
              buildArgs: request.buildArgs,
              target: targets[0]?.index ?? 0,
              reached: new Set(reachableStages(targets).map(({ index }) => index)),
            }),
          };
        }),
      );
    } finally {
      progress.cancelOpen();
      this.#options.cache.flush();
    }
  }

  /**
   * Reports to `request.memory` what a build would find in the cache and what it would run, and runs, pulls and tags nothing: a step behind
   * one that would run counts as one that would run. Throws as `build` for a Dockerfile or context with which a build would not begin.
   */
  async plan(given: BuildRequest): Promise<void> {
    const progress = new BuildProgress(given.onStatus);
    await this.#options.layers.withLease(() =>
      this.#withFile(given, progress, async ({ request, stop, sources, bytes }) => {
        const dockerfile = await this.#loadDefinition(bytes, request, progress);
        const images = new BaseImages(this.#options.host, request, progress);
        const parts = { request, stop, sources, progress };
        const targets = await this.#graphsOf(dockerfile, parts, (stage) => images.resolveOffline(stage));
        sources.contexts.plan(targets);
        const imported = await importCaches(this.#options.sharedCaches, request, progress);
        await this.#solve(targets, dockerfile, parts, { isPlan: true, imported });
      }),
    );
  }

  /** What the Dockerfile says of itself, without a build: its checks, its outline or its targets. Throws as `build` does. */
  async call(call: FrontendCall, given: BuildRequest): Promise<CallResult> {
    const progress = new BuildProgress(given.onStatus);
    return await this.#withFile(given, progress, async ({ request, bytes }) => {
      const images = new BaseImages(this.#options.host, request, progress);
      const load = (): Promise<Dockerfile> => this.#loadDefinition(bytes, request, progress);
      const configOf = (stage: PlannedStage): Promise<BaseImage> => images.resolveConfig(stage);
      return await answerCall(call, { request, bytes, load, configOf, ignoreFile: ignoreFileOf(request) });
    });
  }

  /**
   * Does `work` on the Dockerfile's text, with a request whose signal aborts by `stop` too. What fails is told with the lines that it is about; what was
   * fetched goes when all is done.
   */
  async #withFile<T>(
    given: BuildRequest,
    progress: BuildProgress,
    work: (opened: Omit<BuildParts, "progress"> & { readonly bytes: Uint8Array }) => Promise<T>,
  ): Promise<T> {
    const { dockerfileName } = given;
    const stop = new AbortController();
    const request = { ...given, signal: AbortSignal.any([given.signal, stop.signal]) };
    let text: DockerfileText | undefined;
    try {
      await using sources = new BuildSources(request, this.#options, progress);
      const bytes = await sources.contexts.dockerfile(dockerfileName);
      text = { name: dockerfileName, lines: Buffer.from(bytes).toString("utf8").split(/\r?\n/) };
      return await work({ request, stop, sources, bytes });
    } catch (error) {
      if (given.signal.aborted) throw new CancelledError("context canceled", { cause: error });
      throw toBuildError(error, text);
    }
  }

  /** What the file says wrong is no fault of its loading. */
  async #loadDefinition(bytes: Uint8Array, request: BuildRequest, progress: BuildProgress): Promise<Dockerfile> {
    const parsed = attempt(() => parseDockerfile(bytes));
    await progress.run(definitionName(request.dockerfileName), async (vertex) => {
      vertex.status("transferring dockerfile:", { current: bytes.length });
      for (const remark of unfollowed(parsed.value, request.buildArgs)) vertex.warn(remark);
    });
    if (parsed.value) return parsed.value;
    throw parsed.error;
  }

  /** `found` gets the images that the first platform's stages stand on. */
  async #loadGraphs(
    dockerfile: Dockerfile,
    parts: BuildParts,
    found: Map<number, BaseImage>,
  ): Promise<readonly StageGraph[]> {
    const images = new BaseImages(this.#options.host, parts.request, parts.progress);
    const graphs = await this.#graphsOf(dockerfile, parts, async (stage, isFirst) => {
      const image = await images.resolve(stage);
      if (isFirst) found.set(stage.index, image);
      return image;
    });
    // The client has applied it already; its place in the output stays.
    await parts.progress.run("[internal] load .dockerignore", async (vertex) =>
      vertex.status("transferring context:", { current: 2 }),
    );
    return graphs;
  }

  /** One a platform; what they have in common is the same object in all of them. */
  async #graphsOf(
    dockerfile: Dockerfile,
    { request, stop, sources }: BuildParts,
    resolveImage: (stage: PlannedStage, isFirst: boolean) => Promise<BaseImage>,
  ): Promise<readonly StageGraph[]> {
    const buildPlatform = hostPlatform();
    const platforms = request.platforms.map(parsePlatform);
    const options = {
      epoch: await sources.epoch(dockerfile, request),
      buildArgs: request.buildArgs,
      target: request.target,
      networkMode: request.networkMode === "" ? "default" : request.networkMode,
      contexts: request.contexts ?? {},
      entitlements: request.entitlements ?? [],
      devices: this.#options.devices,
      settings: request.settings,
      buildPlatform,
      isOneOfSeveral: platforms.length > 1,
      stop,
    };
    const graphs = (platforms.length > 0 ? platforms : [buildPlatform]).map((targetPlatform, at) =>
      buildGraph(dockerfile, {
        ...options,
        targetPlatform,
        resolveImage: (stage) => resolveImage(stage, at === 0),
      }),
    );
    const found = await allEnded(graphs, stop);
    return found.length > 1 ? shareStages(found) : found;
  }

  async #solve(
    targets: readonly StageGraph[],
    dockerfile: Dockerfile,
    { request, stop, sources, progress }: BuildParts,
    mode: Pick<SolveOptions, "isPlan" | "imported">,
  ): Promise<readonly SolvedTarget[]> {
    const { cache, layers } = this.#options;
    using solver = new Solver(
      targets,
      { cache, layers, ops: this.#options, inFlight: this.#inFlight },
      {
        ...mode,
        noCache: request.noCache,
        noCacheStages: stagesOf(dockerfile, request.noCacheFilter ?? []),
        isTrial: request.isTrial ?? false,
        extraHosts: request.extraHosts,
        limits: request.limits,
        contexts: sources.contexts,
        remotes: sources.remotes,
        secrets: request.secrets,
        sshAgents: request.sshAgents,
        progress,
        signal: request.signal,
        stop,
        memory: request.memory,
      },
    );
    const solved = await solver.solve();
    return targets.map((target, at) => ({ target, cache: solver.shareable(solved[at] ?? { layers: [] }) }));
  }
}

/** What all platforms leave to share: the steps are the same ones, the results are not. */
function allOf(solved: readonly SolvedTarget[]): ShareableCache {
  const [first] = solved;
  const result = solved.flatMap(({ cache }) => cache.result);
  return { steps: first?.cache.steps ?? [], contents: first?.cache.contents ?? new Map(), result };
}

/** What the passes of one build share. */
interface BuildParts {
  readonly request: BuildRequest;
  /** Aborted by the first failure: what works beside it ends. */
  readonly stop: AbortController;
  readonly sources: BuildSources;
  readonly progress: BuildProgress;
}

function attempt<T>(work: () => T): { readonly value?: T; readonly error?: unknown } {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

/** Indexes of the stages of these names, which need not exist. */
function stagesOf({ stages }: Dockerfile, names: readonly string[]): ReadonlySet<number> {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  return new Set(stages.flatMap(({ name, index }) => (name !== "" && wanted.has(name) ? [index] : [])));
}

function ignoreFileOf({ input }: BuildRequest): string | undefined {
  return input.kind === "files" ? input.ignoreFile : undefined;
}
