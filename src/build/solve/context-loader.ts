import { createReadStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import type { BuildInput, ContextFiles, NamedContexts } from "../build-client.ts";
import { contextFromTar } from "../context/context-from-tar.ts";
import { findDockerfile } from "../context/find-dockerfile.ts";
import { parseGitSource } from "../context/git-source.ts";
import { redactUrl } from "../context/redact-url.ts";
import { singleFileTree } from "../context/single-file-tree.ts";
import { originsOf, reachableStages } from "../graph/build-graph.ts";
import type { StageGraph, Step } from "../graph/graph-types.ts";
import { cleanPath } from "../ops/copy/select-sources.ts";
import { type Inflate, isArchive } from "../ops/trees/archive-file.ts";
import { ContextTree } from "../ops/trees/context-tree.ts";
import type { FileTree, TreeNode } from "../ops/trees/file-tree.ts";
import type { BuildProgress } from "./progress.ts";
import type { FetchedFile, RemoteSources } from "./remote-sources.ts";

export interface ContextLoaderParts {
  readonly input: BuildInput;
  readonly contexts: NamedContexts;
  readonly remotes: RemoteSources;
  readonly progress: BuildProgress;
  readonly inflate: Inflate;
  readonly scratchDirectory: string;
  /** BUILDKIT_CONTEXT_KEEP_GIT_DIR. */
  readonly keepGitDirectory: boolean;
  readonly signal: AbortSignal;
}

/** What a Dockerfile behind a URL is called. */
const REMOTE_NAME = "context";

/**
 * The contexts of a build, each fetched when the first step asks for it; the client's only as far as the steps read them. Dispose it when the
 * build has ended.
 */
export class ContextLoader implements AsyncDisposable {
  readonly #parts: ContextLoaderParts;
  readonly #trees = new Map<string, Promise<FileTree>>();
  readonly #stack = new AsyncDisposableStack();
  #targets: readonly StageGraph[] | undefined;
  #isDockerfileUrl = false;

  constructor(parts: ContextLoaderParts) {
    this.#parts = parts;
  }

  /** The bytes of the Dockerfile. Throws NotFoundError in BuildKit's words. */
  async dockerfile(name: string): Promise<Uint8Array> {
    const { input } = this.#parts;
    if (input.dockerfile) return input.dockerfile;
    const tree = await this.tree("");
    return findDockerfile(tree, this.#isDockerfileUrl ? REMOTE_NAME : name);
  }

  /** How old a context is, seconds since the epoch: what its commit or its server says; undefined for the client's files. */
  async time(name: string): Promise<number | undefined> {
    const { input, contexts, remotes } = this.#parts;
    const named = name === "" ? undefined : contexts[name];
    const url = name === "" && input.kind === "remote" ? input.url : named?.kind === "url" ? named.url : undefined;
    if (url === undefined || url.startsWith("docker-image://")) return undefined;
    const source = parseGitSource(url, { allowBareHost: name === "" });
    return await remotes.time(source ? { kind: "git", source } : { kind: "http", url, checksum: "" });
  }

  /** From now on it is known what steps read. */
  plan(targets: readonly StageGraph[]): void {
    this.#targets = targets;
  }

  /** The files of a context, "" for the main one. */
  tree(name: string): Promise<FileTree> {
    let tree = this.#trees.get(name);
    if (!tree) {
      tree = name === "" ? this.#main() : this.#named(name);
      this.#trees.set(name, tree);
    }
    return tree;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  #main(): Promise<FileTree> {
    const { input, progress } = this.#parts;
    if (input.kind === "remote") return this.#remote(input.url);
    return progress.run("[internal] load build context", async (vertex) => {
      const { tree, transferred } = await this.#fromClient(input.context, "");
      vertex.status("transferring context:", { current: transferred });
      return tree;
    });
  }

  #named(name: string): Promise<FileTree> {
    const context = this.#parts.contexts[name];
    if (!context || context.kind === "oci-layout" || context.kind === "image")
      throw new NotFoundError(`build context ${name}: not found`);
    const { progress, remotes } = this.#parts;
    if (context.kind === "files") {
      return progress.run(`[context ${name}] load from client`, async (vertex) => {
        const { tree, transferred } = await this.#fromClient(context.files, name);
        vertex.status(`transferring ${name}:`, { current: transferred });
        return tree;
      });
    }
    const { url } = context;
    const git = parseGitSource(url, { allowBareHost: false });
    return progress.run(`[context ${name}] ${redactUrl(url)}`, async () =>
      git ? await remotes.gitTree(git) : treeOf(await remotes.httpFile(url)),
    );
  }

  async #fromClient(
    files: ContextFiles,
    name: string,
  ): Promise<{ readonly tree: FileTree; readonly transferred: number }> {
    const paths = this.#targets ? pathsRead(this.#targets, name) : [""];
    const opened = await files.open(paths, this.#parts.signal);
    return { tree: new ContextTree(opened), transferred: opened.transferred };
  }

  /** A repository, an archive, or a Dockerfile alone. */
  #remote(url: string): Promise<FileTree> {
    const { progress, remotes } = this.#parts;
    const git = parseGitSource(url, { allowBareHost: true });
    if (git) {
      const source = { ...git, keepGitDirectory: git.keepGitDirectory || this.#parts.keepGitDirectory };
      return progress.run(`[internal] load git source ${redactUrl(url)}`, () => remotes.gitTree(source));
    }
    if (!/^https?:\/\//.test(url))
      throw new InvalidParameterError(`invalid remote context ${JSON.stringify(url)}: expected a git or http(s) URL`);
    return progress.run("[internal] load remote build context", async () => {
      const file = await remotes.httpFile(url);
      if (await isArchive(createReadStream(file.path))) return await this.#unpacked(file.path);
      this.#isDockerfileUrl = true;
      return treeOf(file);
    });
  }

  async #unpacked(path: string): Promise<FileTree> {
    const { inflate, scratchDirectory, signal } = this.#parts;
    await mkdir(scratchDirectory, { recursive: true, mode: 0o700 });
    const plain = inflate(createReadStream(path, { highWaterMark: 1024 * 1024 }));
    const context = await contextFromTar(plain, { directory: scratchDirectory, dockerfile: "", signal });
    this.#stack.use(context);
    return new ContextTree(context.files);
  }
}

function treeOf(file: FetchedFile & { readonly path: string }): FileTree {
  const { digest, size } = file;
  const node: TreeNode = {
    type: "file",
    mode: 0o600,
    uid: 0,
    gid: 0,
    size,
    mtime: 0,
    linkname: "",
    digest,
    major: 0,
    minor: 0,
  };
  return singleFileTree(REMOTE_NAME, node, file.path);
}

/** What the steps read of a context, sorted. */
function pathsRead(targets: readonly StageGraph[], name: string): readonly string[] {
  const isThis = (step: Step): boolean => originsOf(step).some((from) => from.kind === "files" && from.name === name);
  const steps = reachableStages(targets).flatMap((stage) => stage.steps.filter(isThis));
  const paths = steps.flatMap((step) => {
    if (step.kind === "copy") return step.sources.flatMap((source) => (source.kind === "path" ? [source.path] : []));
    if (step.kind !== "run") return [];
    return step.mounts.flatMap((mount) => ("source" in mount && mount.from?.kind === "files" ? [mount.source] : []));
  });
  return [...new Set(paths.map(cleanPath))].sort();
}
