import type { Layer } from "#store/layer-store.ts";
import type { CopyArgument, CopyStep, FilesOrigin, PathArgument, RunMount, RunStep } from "../graph/graph-types.ts";
import { copyLayer } from "../ops/copy/copy-step.ts";
import type { OpOptions } from "../ops/op-context.ts";
import type { MountFiles } from "../ops/run/run-mounts.ts";
import { emptyTree } from "../ops/trees/empty-tree.ts";
import { baseName } from "../ops/trees/file-tree.ts";
import { type CopySourceKey, copyKey, rootKey } from "./cache-key.ts";
import type { ContextLoader } from "./context-loader.ts";
import { type CopySource, contextSource, joinSources, stageSource } from "./copy-source.ts";
import { localLayers } from "./local-layers.ts";
import type { RemoteSources } from "./remote-sources.ts";
import type { SolvedStage, SolverTools } from "./solver-types.ts";
import type { StepCache } from "./step-cache.ts";

export interface StepSourcesParts {
  readonly tools: SolverTools;
  readonly cache: StepCache;
  readonly contexts: ContextLoader;
  readonly remotes: RemoteSources;
  /** The layers of a stage, once it is solved. */
  readonly stage: (origin: Extract<FilesOrigin, { readonly kind: "stage" }>) => Promise<SolvedStage>;
  readonly signal: AbortSignal;
}

/** What the mounts of a RUN show, as far as its cache key needs to know, and how to get it. */
export interface MountSource {
  readonly mount: RunMount;
  readonly key: CopySourceKey;
  /** The layers that hold the files; makes them where they are in a context. */
  files(options: OpOptions): Promise<MountFiles>;
}

/** Finds what the steps of one build read: paths of contexts and stages, URLs, repositories. */
export class StepSources {
  readonly #parts: StepSourcesParts;

  constructor(parts: StepSourcesParts) {
    this.#parts = parts;
  }

  async copy(step: CopyStep): Promise<CopySource> {
    const sources: CopySource[] = [];
    for (const group of groups(step.sources)) sources.push(await this.#group(group, step));
    const [only] = sources;
    return only && sources.length === 1 ? only : joinSources(sources);
  }

  /** The mounts that show files of elsewhere. Throws NotFoundError in BuildKit's words where there are none. */
  async mounts({ mounts }: RunStep): Promise<readonly MountSource[]> {
    const sources: MountSource[] = [];
    for (const mount of mounts) {
      if (mount.type !== "bind" && mount.type !== "cache") continue;
      if (mount.from) sources.push(await this.#mount(mount, mount.from, mount.source));
    }
    return sources;
  }

  async #group(group: readonly CopyArgument[], step: CopyStep): Promise<CopySource> {
    const [first] = group;
    if (first && first.kind !== "path") return await this.#parts.remotes.copy(first, step);
    const sources = group.filter((argument) => argument.kind === "path");
    return await this.#paths(step.from, { sources, exclude: step.exclude, unpack: step.unpack.local });
  }

  async #paths(
    origin: FilesOrigin,
    paths: { readonly sources: readonly PathArgument[]; readonly exclude: readonly string[]; readonly unpack: boolean },
  ): Promise<CopySource> {
    const { contexts, tools, cache, stage, signal } = this.#parts;
    if (origin.kind === "stage") return await stageSource(paths, await stage(origin), { cache, tools, signal });
    const tree = paths.sources.length > 0 ? await contexts.tree(origin.name) : emptyTree;
    return await contextSource(paths, tree, signal);
  }

  async #mount(mount: RunMount, origin: FilesOrigin, path: string): Promise<MountSource> {
    const paths = { sources: [{ kind: "path", path }] as const, exclude: [], unpack: false };
    const source = await this.#paths(origin, paths);
    const key = { ...source.keys[0], argument: mount.target, content: source.keys[0]?.content ?? rootKey([]) };
    if (origin.kind === "stage") {
      const files = async (): Promise<MountFiles> => {
        const solved = await this.#parts.stage(origin);
        return { layers: await localLayers(solved.layers), path };
      };
      return { mount, key, files };
    }
    return { mount, key, files: (options) => this.#contextFiles(source, path, options) };
  }

  /** Files of a context as a layer of their own: a kernel can mount that, and the next build finds it in the cache. */
  async #contextFiles(source: CopySource, path: string, options: OpOptions): Promise<MountFiles> {
    return await source.use(async (parts) => {
      const isDirectory = parts[0]?.selections[0]?.node.type === "directory";
      const inside = isDirectory ? "" : baseName(path);
      const step = mountedCopy(`/${inside}`);
      const key = copyKey(step, rootKey([]), source.keys);
      const known = this.#parts.cache.find(key.key);
      if (known) return { layers: await localLayers([known]), path: inside };
      const { layer } = await copyLayer({ step, below: [], parts }, this.#parts.tools.ops, options);
      const made = { layer, contentId: layer.diffId, created: Date.now() };
      this.#parts.cache.add(key, rootKey([]), `[internal] mount ${path === "" ? "/" : path}`, made);
      const layers: readonly Layer[] = [layer];
      return { layers, path: inside };
    });
  }
}

function mountedCopy(destination: string): CopyStep {
  return {
    kind: "copy",
    name: "",
    source: { startLine: 0, endLine: 0 },
    from: { kind: "files", name: "" },
    sources: [],
    inlineFiles: [],
    destination,
    chown: "",
    chmod: "",
    exclude: [],
    unpack: { local: false, remote: false },
    link: false,
  };
}

/** Neighbouring paths together, everything else alone: later arguments overwrite earlier ones. */
function groups(sources: readonly CopyArgument[]): readonly (readonly CopyArgument[])[] {
  const grouped: CopyArgument[][] = [];
  for (const source of sources) {
    const last = grouped.at(-1);
    if (last && source.kind === "path" && last[0]?.kind === "path") last.push(source);
    else grouped.push([source]);
  }
  return grouped;
}
