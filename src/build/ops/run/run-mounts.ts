import { join } from "node:path";
import { NotFoundError } from "#errors/errors.ts";
import { tarName, tarText } from "#formats/tar/tar-entry.ts";
import type { BindMount } from "#runtime/container-runtime.ts";
import type { Digest } from "#spec/digest.ts";
import type { Layer } from "#store/layer-store.ts";
import type { BindStepMount, CacheStepMount, RunMount, RunStep, SshStepMount } from "../../graph/graph-types.ts";
import type { OpOptions, OpTools } from "../op-context.ts";
import { resolveLinks } from "../trees/resolve-links.ts";
import { RootTree } from "../trees/root-tree.ts";
import { SecretFiles } from "./secret-files.ts";
import { openAgentSocket } from "./ssh-socket.ts";

/** Where the files are that a mount shows. */
export interface MountFiles {
  /** Bottom first; none for a stage on scratch. */
  readonly layers: readonly Layer[];
  /** Path in the root that the layers make; "" for all of it. */
  readonly path: string;
}

/** What a mount of files shows, with the digest over it. */
export interface MountedFiles {
  readonly mount: RunMount;
  readonly content: Digest;
  readonly files: MountFiles;
}

/** The mounts of a RUN as its container gets them; gone when disposed. */
export interface RunMounts extends AsyncDisposable {
  readonly binds: readonly BindMount[];
  readonly tmpfs: Readonly<Record<string, string>>;
  readonly env: readonly string[];
  /** Values from secrets: for the process alone. */
  readonly secretEnv: readonly string[];
}

/**
 * Opens what `RUN --mount` asks for. Sources are looked up inside roots that nothing can change meanwhile, so a link never leads out of
 * them. Throws NotFoundError for a required secret or agent that the client has not.
 */
export async function openRunMounts(
  step: RunStep,
  sources: readonly MountedFiles[],
  id: string,
  tools: OpTools,
  options: OpOptions,
): Promise<RunMounts> {
  await using stack = new AsyncDisposableStack();
  const opener = new MountOpener(step, sources, id, tools, options, stack);
  await opener.lockCaches();
  for (const mount of step.mounts) await opener.open(mount);
  const release = stack.move();
  return { ...opener.result(), [Symbol.asyncDispose]: () => release.disposeAsync() };
}

class MountOpener {
  readonly #step: RunStep;
  readonly #sources: readonly MountedFiles[];
  readonly #id: string;
  readonly #tools: OpTools;
  readonly #options: OpOptions;
  readonly #stack: AsyncDisposableStack;
  readonly #binds: BindMount[] = [];
  readonly #tmpfs: Record<string, string> = {};
  readonly #env: string[] = [];
  readonly #secretEnv: string[] = [];
  #secrets: SecretFiles | undefined;
  #count = 0;

  constructor(
    step: RunStep,
    sources: readonly MountedFiles[],
    id: string,
    tools: OpTools,
    options: OpOptions,
    stack: AsyncDisposableStack,
  ) {
    this.#step = step;
    this.#sources = sources;
    this.#id = id;
    this.#tools = tools;
    this.#options = options;
    this.#stack = stack;
  }

  result(): Omit<RunMounts, typeof Symbol.asyncDispose> {
    return { binds: this.#binds, tmpfs: this.#tmpfs, env: this.#env, secretEnv: this.#secretEnv };
  }

  async lockCaches(): Promise<void> {
    const caches = this.#step.mounts.flatMap((mount) =>
      mount.type === "cache" ? [{ mount, base: this.#sourceOf(mount) }] : [],
    );
    this.#stack.use(await this.#tools.cacheMounts.lock(caches, this.#options.signal));
  }

  async open(mount: RunMount): Promise<void> {
    switch (mount.type) {
      case "bind":
        return await this.#bind(mount);
      case "cache":
        return await this.#cache(mount);
      case "tmpfs": {
        // As BuildKit's: programs may run from it.
        const size = mount.size === 0 ? "" : `,size=${mount.size}`;
        this.#tmpfs[mount.target] = `exec,mode=1777${size}${mount.readOnly ? ",ro" : ""}`;
        return;
      }
      case "secret": {
        this.#secrets ??= this.#stack.use(new SecretFiles(this.#tools, this.#options));
        const { bind, env } = await this.#secrets.open(mount);
        if (bind) this.#binds.push(bind);
        if (env !== undefined) this.#secretEnv.push(env);
        return;
      }
      case "ssh":
        return await this.#agent(mount);
    }
  }

  async #bind(mount: BindStepMount): Promise<void> {
    const { files } = this.#sourceOf(mount) ?? missing(mount.source);
    const source = mount.readOnly ? await this.#view(files) : await this.#discarded(files);
    this.#binds.push({ source, destination: mount.target, readonly: mount.readOnly });
  }

  async #cache(mount: CacheStepMount): Promise<void> {
    const source = this.#sourceOf(mount);
    const base = source && { path: await this.#view(source.files), content: source.content };
    const { signal, isFreshCache } = this.#options;
    const request = { mount, base, user: this.#step.name, isFresh: isFreshCache };
    const cache = this.#stack.use(await this.#tools.cacheMounts.open(request, signal));
    this.#binds.push({ source: cache.path, destination: mount.target, readonly: mount.readOnly });
  }

  async #agent(mount: SshStepMount): Promise<void> {
    const { sshAgents, signal } = this.#options;
    const agent = await sshAgents?.open(mount.id, signal);
    if (!agent) {
      if (mount.required) throw new NotFoundError(`no SSH key ${JSON.stringify(mount.id)} forwarded from the client`);
      return;
    }
    const directory = this.#stack.use(await this.#tools.openPrivateDirectory());
    const path = join(directory.path, `s${this.#count++}`);
    this.#stack.use(await openAgentSocket(path, mount, agent));
    this.#binds.push({ source: path, destination: mount.target, readonly: true });
    if (this.#env.length === 0) this.#env.push(`SSH_AUTH_SOCK=${mount.target}`);
  }

  #sourceOf(mount: RunMount): MountedFiles | undefined {
    return this.#sources.find((source) => source.mount === mount);
  }

  /** The files themselves, for reading. */
  async #view({ layers, path }: MountFiles): Promise<string> {
    if (layers.length === 0) return await this.#discarded({ layers, path });
    const view = this.#stack.use(await this.#tools.snapshotter.view(layers));
    return this.#inside(view.path, path);
  }

  /** A copy-on-write root over the files, which goes when the step ends. */
  async #discarded({ layers, path }: MountFiles): Promise<string> {
    const { snapshotter } = this.#tools;
    const key = `${this.#id}-${this.#count++}`;
    this.#stack.defer(async () => {
      await snapshotter.unmount(key);
      await snapshotter.remove(key);
    });
    await snapshotter.prepare(key, layers, { volatile: true });
    return this.#inside(await snapshotter.mount(key), path);
  }

  #inside(root: string, path: string): string {
    const tree = new RootTree(root, this.#tools.readXattrs);
    const resolved = resolveLinks(tree, tarName(path));
    if (!tree.lstat(resolved)) missing(path);
    return resolved === "" ? root : join(root, tarText(resolved));
  }
}

function missing(path: string): never {
  throw new NotFoundError(`failed to calculate checksum of ref: "/${path}": not found`);
}
