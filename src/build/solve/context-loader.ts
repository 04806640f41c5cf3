import type { ContextFiles } from "../build-client.ts";
import { reachableStages } from "../graph/build-graph.ts";
import type { StageGraph } from "../graph/graph-types.ts";
import { ContextTree } from "../ops/context-tree.ts";
import type { FileTree } from "../ops/file-tree.ts";
import { cleanPath } from "../ops/select-sources.ts";
import type { BuildProgress } from "./progress.ts";

/** The build context, fetched when the first step asks for it, and only as far as the steps of this build read it. */
export class ContextLoader {
  readonly #files: ContextFiles;
  readonly #target: StageGraph;
  readonly #progress: BuildProgress;
  readonly #signal: AbortSignal;
  #tree: Promise<FileTree> | undefined;

  constructor(files: ContextFiles, target: StageGraph, progress: BuildProgress, signal: AbortSignal) {
    this.#files = files;
    this.#target = target;
    this.#progress = progress;
    this.#signal = signal;
  }

  tree(): Promise<FileTree> {
    this.#tree ??= this.#load();
    return this.#tree;
  }

  #load(): Promise<FileTree> {
    return this.#progress.run("[internal] load build context", async (vertex) => {
      const files = await this.#files.open(pathsRead(this.#target), this.#signal);
      vertex.status("transferring context:", { current: files.transferred });
      return new ContextTree(files);
    });
  }
}

/** What the steps read of the context, sorted. */
function pathsRead(target: StageGraph): readonly string[] {
  const paths = reachableStages(target).flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === "copy" && !step.from ? step.sources.map(cleanPath) : [])),
  );
  return [...new Set(paths)].sort();
}
