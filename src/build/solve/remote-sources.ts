import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { InvalidParameterError } from "#errors/errors.ts";
import { digestHex, digestOf } from "#formats/digest.ts";
import { tarName } from "#formats/tar/tar-entry.ts";
import type { Digest } from "#spec/digest.ts";
import type { BuildSecrets, SshAgents } from "../build-client.ts";
import type { UsedSource } from "../builder.ts";
import { checkoutTree } from "../context/checkout-tree.ts";
import { checkOut, type GitOptions, type GitRunner, resolveCommit } from "../context/git-checkout.ts";
import type { GitSource } from "../context/git-source.ts";
import { type Download, download } from "../context/http-download.ts";
import { redactUrl, sourceUri } from "../context/redact-url.ts";
import { singleFileTree } from "../context/single-file-tree.ts";
import type { CopyStep, RemoteArgument } from "../graph/graph-types.ts";
import type { PrivateDirectory } from "../ops/op-context.ts";
import { openAgentSocket } from "../ops/run/ssh-socket.ts";
import type { FileTree, TreeNode } from "../ops/trees/file-tree.ts";
import { treeFilter } from "../ops/trees/tree-filter.ts";
import type { CopySource } from "./copy-source.ts";

export interface RemoteSourcesParts {
  /** For what is fetched; the files go when the build ends. */
  readonly scratchDirectory: string;
  readonly git: GitRunner;
  readonly openPrivateDirectory: () => Promise<PrivateDirectory>;
  readonly secrets: BuildSecrets | undefined;
  readonly sshAgents: SshAgents | undefined;
  readonly signal: AbortSignal;
  /** What earlier builds heard of a URL. */
  readonly memory: RemoteMemory;
}

/** Remembers answers of web servers across builds. */
export interface RemoteMemory {
  recall(key: Digest): string | undefined;
  remember(key: Digest, record: string, description: string): void;
}

/** What a server says of a URL. */
export interface RemoteFile {
  readonly digest: Digest;
  readonly etag: string;
  readonly lastModified: string;
  readonly filename: string;
  readonly size: number;
}

/** What ADD and contexts fetch from elsewhere, each once a build. Dispose it when the build has ended. */
export class RemoteSources implements AsyncDisposable {
  readonly #parts: RemoteSourcesParts;
  readonly #stack = new AsyncDisposableStack();
  readonly #commits = new Map<string, Promise<string>>();
  readonly #checkouts = new Map<string, Promise<FileTree>>();
  readonly #files = new Map<string, Promise<FetchedFile>>();
  readonly #used = new Map<string, UsedSource>();

  constructor(parts: RemoteSourcesParts) {
    this.#parts = parts;
  }

  async copy(argument: RemoteArgument, step: CopyStep): Promise<CopySource> {
    return argument.kind === "git" ? await this.#copyGit(argument.source, step) : await this.#copyHttp(argument, step);
  }

  /** The files of a commit. */
  async gitTree(source: GitSource): Promise<FileTree> {
    return await this.#checkout(source, await this.#commit(source));
  }

  /** How old what a URL or repository has is, seconds since the epoch; undefined when nothing says so. */
  async time(argument: RemoteArgument): Promise<number | undefined> {
    if (argument.kind === "git") return (await this.gitTree(argument.source)).lstat("")?.mtime;
    const time = Date.parse((await this.#fetch(argument.url)).lastModified);
    return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
  }

  /** A file behind a URL, downloaded: where it lies, and what the server said. */
  async httpFile(url: string): Promise<FetchedFile & { readonly path: string }> {
    const fetched = await this.#fetch(url);
    this.#use(url, "", { sha256: digestHex(fetched.digest) });
    const path = fetched.path ?? (await this.#download(url, undefined)).path;
    return { ...fetched, path };
  }

  /** What was asked for so far, whether it was fetched or its digest said that it is here; by URI. */
  used(): readonly UsedSource[] {
    return [...this.#used.values()].sort((a, b) => (a.uri < b.uri ? -1 : 1));
  }

  #use(url: string, ref: string, digest: UsedSource["digest"]): void {
    const uri = sourceUri(url, ref);
    this.#used.set(uri, { uri, digest });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  /** The commit is the content: what is cached is not fetched. */
  async #copyGit(source: GitSource, step: CopyStep): Promise<CopySource> {
    const commit = await this.#commit(source);
    const { subdirectory, keepGitDirectory, submodules } = source;
    const remote = keepGitDirectory ? redactUrl(source.remote) : undefined;
    const identity = { commit, subdirectory, keepGitDirectory, submodules, remote };
    const filter = treeFilter("", step.exclude);
    return {
      keys: [{ argument: "git", content: digestOf(JSON.stringify(identity)) }],
      use: async (work) => {
        const tree = await this.#checkout(source, commit);
        const node = tree.lstat("");
        const selections = node ? [{ path: "", node, name: "/", filter }] : [];
        return await work([{ tree, selections, unpack: false }]);
      },
    };
  }

  /** A stated checksum says all; else the server is asked whether the file is what it was. */
  async #copyHttp(argument: Extract<RemoteArgument, { readonly kind: "http" }>, step: CopyStep): Promise<CopySource> {
    const { url } = argument;
    const checksum = argument.checksum === "" ? undefined : (argument.checksum as Digest);
    const fetched = checksum ? { ...pinned(url, checksum), path: undefined } : await this.#fetch(url);
    const { digest, lastModified, filename } = fetched;
    this.#use(url, "", { sha256: digestHex(digest) });
    const name = filename === "" ? "__unnamed__" : filename;
    return {
      keys: [{ argument: name, content: digestOf(JSON.stringify({ digest, lastModified, mode: 0o600 })) }],
      use: async (work) => {
        const file =
          fetched.path === undefined ? await this.#download(url, digest) : { ...fetched, path: fetched.path };
        const latin = tarName(name);
        const node = fileNode(file);
        const tree = singleFileTree(latin, node, file.path);
        return await work([{ tree, selections: [{ path: latin, node, name: latin }], unpack: step.unpack.remote }]);
      },
    };
  }

  #commit(source: GitSource): Promise<string> {
    const key = JSON.stringify([source.remote, source.ref, source.checksum]);
    return once(this.#commits, key, async () => {
      const commit = await this.#withGit(source, (options) => resolveCommit(source, options));
      this.#use(source.remote, source.ref, { [commit.length === 64 ? "sha256" : "sha1"]: commit });
      return commit;
    });
  }

  #checkout(source: GitSource, commit: string): Promise<FileTree> {
    const { subdirectory, keepGitDirectory, submodules } = source;
    const key = JSON.stringify([source.remote, commit, subdirectory, keepGitDirectory, submodules]);
    return once(this.#checkouts, key, async () => {
      const directory = this.#scratchPath("git");
      this.#stack.defer(() => rm(directory, { recursive: true, force: true }));
      const made = await this.#withGit(source, (options) => checkOut(source, commit, directory, options));
      return checkoutTree(made.directory, { subdirectory, keepGitDirectory, mtime: made.committed });
    });
  }

  async #withGit<T>(source: GitSource, work: (options: GitOptions) => Promise<T>): Promise<T> {
    const { git: run, signal } = this.#parts;
    if (/^https?:/.test(source.remote)) {
      const authorization = await this.#authorization("GIT_AUTH", new URL(source.remote).host, "basic");
      return await work({ run, signal, authorization });
    }
    const agent = await this.#parts.sshAgents?.open("default", signal);
    if (!agent) return await work({ run, signal });
    await using directory = await this.#parts.openPrivateDirectory();
    const agentSocket = join(directory.path, "agent");
    await using _socket = await openAgentSocket(agentSocket, { mode: 0o600, uid: 0, gid: 0 }, agent);
    return await work({ run, signal, agentSocket });
  }

  #fetch(url: string): Promise<FetchedFile> {
    return once(this.#files, url, async () => {
      const key = digestOf(`http ${url}`);
      const known = recalled(this.#parts.memory.recall(key));
      const { result, path } = await this.#get(url, known?.etag);
      const file = remoteFile(result, known);
      if (!result.isUnchanged) {
        this.#parts.memory.remember(key, JSON.stringify(file), `[internal] answer of ${redactUrl(url)}`);
      }
      return { ...file, path: result.isUnchanged ? undefined : path };
    });
  }

  async #download(url: string, expected: Digest | undefined): Promise<FetchedFile & { readonly path: string }> {
    const { result, path } = await this.#get(url, undefined);
    return { ...verified(url, remoteFile(result, undefined), expected), path };
  }

  async #get(url: string, etag: string | undefined): Promise<{ readonly result: Download; readonly path: string }> {
    const path = this.#scratchPath("http");
    this.#stack.defer(() => rm(path, { force: true }));
    const authorization = await this.#authorization("HTTP_AUTH", new URL(url).host, "bearer");
    const result = await download(url, { file: path, etag, authorization, signal: this.#parts.signal });
    return { result, path };
  }

  /** BuildKit's names of secrets: `GIT_AUTH_HEADER.github.com` is a whole header, `GIT_AUTH_TOKEN` a token. */
  async #authorization(prefix: string, host: string, scheme: "basic" | "bearer"): Promise<string | undefined> {
    const { secrets, signal } = this.#parts;
    if (!secrets) return undefined;
    const separator = prefix === "GIT_AUTH" ? "." : "_";
    const names = [`${separator}${host}`, ...(prefix === "GIT_AUTH" ? [""] : [])];
    for (const name of names) {
      const header = await secrets.get(`${prefix}_HEADER${name}`, signal);
      if (header) return Buffer.from(header).toString("utf8").trim();
      const token = await secrets.get(`${prefix}_TOKEN${name}`, signal);
      if (!token) continue;
      const text = Buffer.from(token).toString("utf8").trim();
      return scheme === "bearer"
        ? `Bearer ${text}`
        : `basic ${Buffer.from(`x-access-token:${text}`).toString("base64")}`;
    }
    return undefined;
  }

  #scratchPath(kind: string): string {
    return join(this.#parts.scratchDirectory, `${kind}-${randomBytes(12).toString("hex")}`);
  }
}

/** A file behind a URL; `path` only when its bytes are here. */
export interface FetchedFile extends RemoteFile {
  readonly path: string | undefined;
}

function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  let value = known.get(key);
  if (!value) {
    value = make();
    known.set(key, value);
  }
  return value;
}

function pinned(url: string, digest: Digest): RemoteFile {
  const path = URL.canParse(url) ? new URL(url).pathname : "";
  const filename = path.slice(path.lastIndexOf("/") + 1);
  return { digest, etag: "", lastModified: "", filename, size: 0 };
}

function recalled(record: string | undefined): RemoteFile | undefined {
  const file = record === undefined ? undefined : (JSON.parse(record) as RemoteFile);
  return file && file.etag !== "" ? file : undefined;
}

function remoteFile(result: Download, known: RemoteFile | undefined): RemoteFile {
  const { digest, etag, lastModified, filename, size } = result;
  if (digest) return { digest, etag, lastModified, filename, size };
  if (known) return known;
  throw new InvalidParameterError("the server says that nothing has changed, but nobody asked");
}

function verified(url: string, file: RemoteFile, expected: Digest | undefined): RemoteFile {
  if (expected === undefined || file.digest === expected) return file;
  throw new InvalidParameterError(`digest mismatch for ${redactUrl(url)}: ${file.digest} (expected: ${expected})`);
}

/** As BuildKit: 0600, root's, as old as the server says. */
function fileNode({ digest, lastModified, size }: RemoteFile): TreeNode {
  const time = Date.parse(lastModified);
  const mtime = Number.isNaN(time) ? 0 : Math.floor(time / 1000);
  return { type: "file", mode: 0o600, uid: 0, gid: 0, size, mtime, linkname: "", digest, major: 0, minor: 0 };
}
