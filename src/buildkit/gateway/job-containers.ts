import { removeContainer } from "#engine/containers/remove.ts";
import type { Engine } from "#engine/engine.ts";
import {
  ConflictError,
  ForbiddenError,
  InvalidParameterError,
  NotFoundError,
  NotImplementedError,
} from "#errors/errors.ts";
import type { InitMessage, NewContainerRequest } from "#proto/gateway_pb.ts";
import type { Mount } from "#proto/ops_pb.ts";
import type { ContainerCreateRequest, HostConfig, MountRequest } from "#spec/docker-containers.ts";
import type { SolveJob } from "../solve/solve-job.ts";
import { type ContainerProcess, furtherProcess, mainProcess } from "./container-process.ts";

const MOUNT = { bind: 0, tmpfs: 4 } as const;
/** As ExecOp's. */
const NETWORKS = ["", "host", "none"];

/** A container that a client asked for; it begins to run with its first process. */
interface JobContainer {
  readonly engine: Engine;
  readonly image: string;
  readonly host: HostConfig;
  readonly hostname: string;
  /** Of the engine's container, as soon as there is one. */
  id: Promise<string> | undefined;
  /** Settles when that runs. */
  main: Promise<ContainerProcess> | undefined;
}

/** The containers of one solve: what a client runs in its results. All of them go with it. */
export class JobContainers {
  readonly #containers = new Map<string, JobContainer>();

  /** Notes a container. Throws NotFoundError for a result that there is not, NotImplementedError for a mount that there is not, ConflictError for a known id. */
  add(
    engine: Engine,
    job: SolveJob,
    { containerId, mounts, network, extraHosts, hostname }: NewContainerRequest,
  ): void {
    if (this.#containers.has(containerId)) throw new ConflictError(`container ${containerId} exists already`);
    const root = mounts.find(({ dest }) => dest === "/");
    if (!root) throw new InvalidParameterError("a container needs a mount at /");
    if (network === 1) throw new ForbiddenError("network.host is not allowed for containers of a build");
    const others = mounts.filter((mount) => mount !== root);
    this.#containers.set(containerId, {
      engine,
      image: job.result(root.resultId).image,
      hostname,
      host: {
        NetworkMode: NETWORKS[network] ?? "",
        ExtraHosts: extraHosts.map(({ host, ip }) => `${host}:${ip}`),
        Mounts: others.flatMap((mount) => mountOf(job, mount)),
        Tmpfs: Object.fromEntries(
          others.flatMap((mount) => (mount.mountType === MOUNT.tmpfs ? [[mount.dest, ""]] : [])),
        ),
      },
      id: undefined,
      main: undefined,
    });
  }

  /** Starts a process: the first is the container's own, and the container ends with it. Throws NotFoundError, and as containers do. */
  async start(init: InitMessage): Promise<ContainerProcess> {
    const container = this.#containers.get(init.containerId);
    if (!container) throw new NotFoundError(`no such container ${init.containerId}`);
    if (init.security !== 0) throw new ForbiddenError("security.insecure is not allowed for containers of a build");
    if (init.secretenv.length > 0) throw new NotImplementedError("secrets for containers of a build are not supported");
    const { engine } = container;
    if (container.id) {
      await container.main;
      return await furtherProcess(engine, await container.id, init);
    }
    const created = Promise.withResolvers<string>();
    container.id = created.promise;
    created.promise.catch(() => undefined);
    try {
      container.main = mainProcess(engine, requestOf(container, init), created.resolve);
      return await container.main;
    } catch (error) {
      created.reject(error);
      throw error;
    }
  }

  /** Ends and removes a container. Throws NotFoundError. */
  async release(containerId: string): Promise<void> {
    const container = this.#containers.get(containerId);
    if (!container) throw new NotFoundError(`no such container ${containerId}`);
    this.#containers.delete(containerId);
    const id = await container.id?.catch(() => undefined);
    const { containers, supervisor } = container.engine;
    if (id !== undefined && containers.containers.find(id))
      await removeContainer(containers, supervisor, id, { force: true, volumes: true });
  }

  async releaseAll(): Promise<void> {
    await Promise.allSettled([...this.#containers.keys()].map((id) => this.release(id)));
  }
}

function mountOf(job: SolveJob, { dest, readonly, selector, resultId, mountType }: Mount): readonly MountRequest[] {
  if (mountType === MOUNT.tmpfs) return [];
  if (mountType !== MOUNT.bind)
    throw new NotImplementedError(`a container of a build with a mount of type ${mountType} is not supported`);
  if (!readonly)
    throw new NotImplementedError(`a container of a build with a writable mount at ${dest} is not supported`);
  const { image } = job.result(resultId);
  const within = selector === "" || selector === "/" ? {} : { ImageOptions: { Subpath: selector.replace(/^\/+/, "") } };
  return [{ Type: "image", Source: image, Target: dest, ReadOnly: true, ...within }];
}

function requestOf({ image, host, hostname }: JobContainer, { meta, tty, fds }: InitMessage): ContainerCreateRequest {
  const hasInput = fds.includes(0);
  return {
    Image: image,
    Entrypoint: meta?.args ?? [],
    Cmd: [],
    Env: meta?.env ?? [],
    User: meta?.user ?? "",
    WorkingDir: meta?.cwd ?? "",
    Hostname: meta?.hostname || hostname,
    Tty: tty,
    OpenStdin: hasInput,
    StdinOnce: hasInput,
    HostConfig: host,
  };
}
