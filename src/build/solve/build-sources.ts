import type { BuildCacheStore } from "#store/build-cache.ts";
import type { LayerProvider } from "#store/layer-store.ts";
import type { BuildRequest } from "../builder.ts";
import type { GitRunner } from "../context/git-checkout.ts";
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
    const parts = { input, contexts, inflate, scratchDirectory, progress, signal };
    this.contexts = new ContextLoader({ ...parts, remotes: this.remotes });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.contexts[Symbol.asyncDispose]();
    await this.remotes[Symbol.asyncDispose]();
    this.#memory[Symbol.dispose]();
  }
}
