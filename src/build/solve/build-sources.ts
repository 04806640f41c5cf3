import type { BuildCacheStore } from "#store/build-cache.ts";
import type { LayerProvider } from "#store/layer-store.ts";
import type { BuildRequest } from "../builder.ts";
import type { GitRunner } from "../context/git-checkout.ts";
import { globalVariables } from "../graph/global-scope.ts";
import { epochSource } from "../graph/source-date-epoch.ts";
import type { VariableList } from "../graph/variables.ts";
import type { Dockerfile } from "../instructions/types.ts";
import type { OpTools } from "../ops/op-context.ts";
import { ContextLoader } from "./context-loader.ts";
import type { BuildProgress } from "./progress.ts";
import { RemoteSources } from "./remote-sources.ts";
import { StepCache } from "./step-cache.ts";

export interface BuildSourcesTools extends Pick<OpTools, "inflate" | "openPrivateDirectory" | "scratchDirectory"> {
  readonly git: GitRunner;
  readonly cache: BuildCacheStore;
  readonly layers: LayerProvider;
}

/** Where the files of one build come from; what was fetched for it goes when it is disposed. */
export class BuildSources implements AsyncDisposable {
  readonly contexts: ContextLoader;
  readonly remotes: RemoteSources;
  readonly #memory: StepCache;

  constructor(request: BuildRequest, tools: BuildSourcesTools, progress: BuildProgress) {
    const { inflate, scratchDirectory, openPrivateDirectory, git } = tools;
    const { input, contexts = {}, secrets, sshAgents, signal } = request;
    const memory = new StepCache(tools);
    this.#memory = memory;
    this.remotes = new RemoteSources({
      scratchDirectory,
      git,
      openPrivateDirectory,
      secrets,
      sshAgents,
      signal,
      memory,
    });
    const keepGitDirectory = /^(1|t|true)$/i.test(request.buildArgs["BUILDKIT_CONTEXT_KEEP_GIT_DIR"] ?? "");
    const parts = { keepGitDirectory, input, contexts, inflate, scratchDirectory, progress, signal };
    this.contexts = new ContextLoader({ ...parts, remotes: this.remotes });
  }

  /** What SOURCE_DATE_EPOCH says, seconds; undefined when it is not set, or names something without a time. */
  async epoch(dockerfile: Dockerfile, { buildArgs, contexts = {} }: BuildRequest): Promise<number | undefined> {
    const scope = epochScope(dockerfile, buildArgs);
    const isContext = (name: string): boolean => Object.hasOwn(contexts, name);
    const source = epochSource(scope.get("SOURCE_DATE_EPOCH") ?? "", dockerfile, scope, isContext);
    switch (source.kind) {
      case "none":
        return undefined;
      case "time":
        return source.seconds;
      case "context":
        return await this.contexts.time(source.name);
      case "remote":
        return await this.remotes.time(source.argument);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.contexts[Symbol.asyncDispose]();
    await this.remotes[Symbol.asyncDispose]();
    this.#memory[Symbol.dispose]();
  }
}

/** The global ARGs; one that is given counts whether the Dockerfile declares it or not. */
function epochScope(dockerfile: Dockerfile, buildArgs: BuildRequest["buildArgs"]): VariableList {
  return globalVariables(dockerfile, buildArgs, Object.entries(buildArgs));
}
