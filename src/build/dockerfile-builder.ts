import { CancelledError } from "#errors/errors.ts";
import { hostPlatform, parsePlatform } from "#formats/platform.ts";
import { SharedWork } from "#lib/shared-work.ts";
import type { Digest } from "#spec/digest.ts";
import type { BuildCacheStore } from "#store/build-cache.ts";
import type { LayerProvider } from "#store/layer-store.ts";
import { type DockerfileText, toBuildError } from "./build-error.ts";
import type { BaseImage, BuildHost, BuildRequest, BuildResult } from "./builder.ts";
import { answerCall, type CallResult } from "./check/answer-call.ts";
import { CheckRemarks, definitionName } from "./check/check-remarks.ts";
import { DockerfileChecks } from "./check/dockerfile-checks.ts";
import type { FrontendCall } from "./check/frontend-calls.ts";
import type { GitRunner } from "./context/git-checkout.ts";
import { imageConfig } from "./export/image-config.ts";
import { rewriteLayers } from "./export/rewrite-layers.ts";
import { squash } from "./export/squash.ts";
import { buildGraph, type GraphOptions } from "./graph/build-graph.ts";
import type { StageGraph } from "./graph/graph-types.ts";
import { parseDockerfile } from "./instructions/parse-dockerfile.ts";
import type { Dockerfile } from "./instructions/types.ts";
import type { OpTools } from "./ops/op-context.ts";
import type { ShareableCache } from "./shared-cache/export-cache.ts";
import { withInlineCache } from "./shared-cache/inline-cache.ts";
import { exportCaches, importCaches } from "./shared-cache/share-cache.ts";
import type { SharedCaches } from "./shared-cache/shared-cache.ts";
import { BaseImages } from "./solve/base-images.ts";
import { BuildSources } from "./solve/build-sources.ts";
import { localLayers } from "./solve/local-layers.ts";
import { BuildProgress } from "./solve/progress.ts";
import { plannedVertexes, Solver } from "./solve/solver.ts";
import type { SolvedLayer, SolveOptions } from "./solve/solver-types.ts";
import { OutputReplay, type StepOutput } from "./solve/step-output.ts";

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
   * Builds the target of `request` and tags it. Throws BuildError, whose `failure` says all that a client prints, or CancelledError
   * when `request.signal` aborts; nothing of the build runs any more then. Steps that succeeded stay in the cache.
   */
  async build(request: BuildRequest): Promise<BuildResult> {
    const progress = new BuildProgress(request.onStatus);
    let text: DockerfileText | undefined;
    try {
      return await this.#options.layers.withLease(async () => {
        await using sources = new BuildSources(request, this.#options, progress);
        const bytes = await sources.contexts.dockerfile(request.dockerfileName);
        text = { name: request.dockerfileName, lines: Buffer.from(bytes).toString("utf8").split(/\r?\n/) };
        const dockerfile = await this.#loadDefinition(bytes, request, progress);
        const checks = new DockerfileChecks(dockerfile, request, ignoreFileOf(request));
        const remarks = new CheckRemarks(checks, { name: request.dockerfileName, bytes }, progress);
        checks.ofFile();
        remarks.show();
        const found = new Map<number, BaseImage>();
        const [target, imported] = await Promise.all([
          this.#loadGraph(dockerfile, request, sources, progress, found),
          importCaches(this.#options.sharedCaches, request, progress),
        ]);
        checks.ofStages(checks.plannedStages(false), found);
        remarks.show();
        checks.refuse();
        sources.contexts.plan(target);
        request.onPlan?.(plannedVertexes(target));
        const cache = await this.#solve(
          target,
          dockerfile,
          { request, sources, progress },
          { isPlan: false, imported },
        );
        const epoch = await sources.epoch(dockerfile, request);
        const imageId = await this.#export(target, cache, { request, progress, epoch });
        await exportCaches(this.#options.sharedCaches, request, cache, progress);
        return { imageId };
      });
    } catch (error) {
      if (request.signal.aborted) throw new CancelledError("context canceled", { cause: error });
      throw toBuildError(error, text);
    } finally {
      progress.cancelOpen();
      this.#options.cache.flush();
    }
  }

  /**
   * Reports to `request.memory` what a build would find in the cache and what it would run, and runs, pulls and tags nothing: a step behind
   * one that would run counts as one that would run. Throws as `build` for a Dockerfile or context with which a build would not begin.
   */
  async plan(request: BuildRequest): Promise<void> {
    const progress = new BuildProgress(request.onStatus);
    let text: DockerfileText | undefined;
    try {
      await this.#options.layers.withLease(async () => {
        await using sources = new BuildSources(request, this.#options, progress);
        const bytes = await sources.contexts.dockerfile(request.dockerfileName);
        text = { name: request.dockerfileName, lines: Buffer.from(bytes).toString("utf8").split(/\r?\n/) };
        const dockerfile = await this.#loadDefinition(bytes, request, progress);
        const images = new BaseImages(this.#options.host, request, progress);
        const target = await this.#graphOf(dockerfile, request, sources, (stage) => images.resolveOffline(stage));
        sources.contexts.plan(target);
        const imported = await importCaches(this.#options.sharedCaches, request, progress);
        await this.#solve(target, dockerfile, { request, sources, progress }, { isPlan: true, imported });
      });
    } catch (error) {
      if (request.signal.aborted) throw new CancelledError("context canceled", { cause: error });
      throw toBuildError(error, text);
    }
  }

  /** What the Dockerfile says of itself, without a build: its checks, its outline or its targets. Throws as `build` does. */
  async call(call: FrontendCall, request: BuildRequest): Promise<CallResult> {
    const progress = new BuildProgress(request.onStatus);
    let text: DockerfileText | undefined;
    try {
      await using sources = new BuildSources(request, this.#options, progress);
      const bytes = await sources.contexts.dockerfile(request.dockerfileName);
      text = { name: request.dockerfileName, lines: Buffer.from(bytes).toString("utf8").split(/\r?\n/) };
      const images = new BaseImages(this.#options.host, request, progress);
      const load = (): Promise<Dockerfile> => this.#loadDefinition(bytes, request, progress);
      return await answerCall(call, { request, bytes, load, images, ignoreFile: ignoreFileOf(request) });
    } catch (error) {
      if (request.signal.aborted) throw new CancelledError("context canceled", { cause: error });
      throw toBuildError(error, text);
    }
  }

  #loadDefinition(bytes: Uint8Array, request: BuildRequest, progress: BuildProgress): Promise<Dockerfile> {
    return progress.run(definitionName(request.dockerfileName), async (vertex) => {
      vertex.status("transferring dockerfile:", { current: bytes.length });
      const dockerfile = parseDockerfile(bytes);
      const remark = frontendRemark(request.buildArgs["BUILDKIT_SYNTAX"] ?? dockerfile.syntax);
      if (remark !== undefined) vertex.warn(remark);
      return dockerfile;
    });
  }

  async #loadGraph(
    dockerfile: Dockerfile,
    request: BuildRequest,
    sources: BuildSources,
    progress: BuildProgress,
    found: Map<number, BaseImage>,
  ): Promise<StageGraph> {
    const images = new BaseImages(this.#options.host, request, progress);
    const graph = await this.#graphOf(dockerfile, request, sources, async (stage) => {
      const image = await images.resolve(stage);
      found.set(stage.index, image);
      return image;
    });
    // The client has applied it already; its place in the output stays.
    await progress.run("[internal] load .dockerignore", async (vertex) =>
      vertex.status("transferring context:", { current: 2 }),
    );
    return graph;
  }

  async #graphOf(
    dockerfile: Dockerfile,
    request: BuildRequest,
    sources: BuildSources,
    resolveImage: GraphOptions["resolveImage"],
  ): Promise<StageGraph> {
    const buildPlatform = hostPlatform();
    return await buildGraph(dockerfile, {
      epoch: await sources.epoch(dockerfile, request),
      buildArgs: request.buildArgs,
      target: request.target,
      networkMode: request.networkMode === "" ? "default" : request.networkMode,
      contexts: request.contexts ?? {},
      entitlements: request.entitlements ?? [],
      buildPlatform,
      targetPlatform: request.platform === "" ? buildPlatform : parsePlatform(request.platform),
      resolveImage,
    });
  }

  async #solve(
    target: StageGraph,
    dockerfile: Dockerfile,
    { request, sources, progress }: SolveParts,
    mode: Pick<SolveOptions, "isPlan" | "imported">,
  ): Promise<ShareableCache> {
    const { cache, layers } = this.#options;
    using solver = new Solver(
      target,
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
        memory: request.memory,
      },
    );
    return solver.shareable(await solver.solve());
  }

  /** The image of the target stage, made durable under its names. */
  #export(target: StageGraph, cache: ShareableCache, parts: ExportParts): Promise<Digest> {
    const { request, progress } = parts;
    if (request.isImageWanted === false) return this.#createImage(target, cache, parts);
    return progress.run("exporting to image", async (vertex) => {
      const imageId = await this.#createImage(target, cache, parts);
      vertex.status("exporting layers");
      vertex.status(`writing image ${imageId}`);
      for (const tag of request.tags) vertex.status(`naming to ${tag}`);
      return imageId;
    });
  }

  async #createImage(target: StageGraph, cache: ShareableCache, parts: ExportParts): Promise<Digest> {
    const { request, progress, epoch } = parts;
    const { layers: store, host } = this.#options;
    // They are in the store already, but for those that only a shared cache had.
    await localLayers(cache.result, request.signal);
    const tools = { layers: store, progress, signal: request.signal };
    const whole = { stage: target, layers: cache.result };
    const { stage, layers: made } = request.squash ? await squash(target, cache.result, tools) : whole;
    const layers = request.rewriteTimestamp ? await rewriteLayers(made, epoch, tools) : made;
    const config = withInlineCache(imageConfig(stage, layers, request.labels), cache, request);
    return await host.createImage(config, request.tags);
  }
}

interface SolveParts {
  readonly request: BuildRequest;
  readonly sources: BuildSources;
  readonly progress: BuildProgress;
}

/** Indexes of the stages of these names, which need not exist. */
function stagesOf({ stages }: Dockerfile, names: readonly string[]): ReadonlySet<number> {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  return new Set(stages.flatMap(({ name, index }) => (name !== "" && wanted.has(name) ? [index] : [])));
}

interface ExportParts {
  readonly request: BuildRequest;
  readonly progress: BuildProgress;
  /** SOURCE_DATE_EPOCH, seconds. */
  readonly epoch: number | undefined;
}

function ignoreFileOf({ input }: BuildRequest): string | undefined {
  return input.kind === "files" ? input.ignoreFile : undefined;
}

/** Docker's own frontends, of whatever version, are what Berth's parser stands for; of any other it is said that it does not run. */
function frontendRemark(syntax: string): string | undefined {
  if (syntax === "" || /^(docker\.io\/)?docker\/dockerfile(-upstream)?([:@]|$)/.test(syntax)) return undefined;
  return `the frontend ${syntax} is not run: Berth reads the Dockerfile itself, as docker/dockerfile does`;
}
