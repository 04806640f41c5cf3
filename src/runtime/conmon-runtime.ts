import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fullElsewhere } from "#errors/disk-full.ts";
import { ConflictError, SystemError } from "#errors/errors.ts";
import { mountPrivateTmpfs } from "#sys/mounts/private-tmpfs.ts";
import { bootId, isAlive } from "#sys/process-info.ts";
import { updatedResources } from "./bundle/resources.ts";
import { type BundleFiles, identify, signalProcess } from "./bundle-files.ts";
import { BundleMaker } from "./bundle-maker.ts";
import type { DeviceCatalog } from "./cdi/device-catalog.ts";
import type { Freezer } from "./cgroup/freezer.ts";
import { CgroupMoves } from "./cgroup/moves.ts";
import { removeEmptyCgroup } from "./cgroup/tree.ts";
import { launchConmon } from "./conmon-launch.ts";
import type {
  AdoptedState,
  ContainerExit,
  ContainerRuntime,
  ContainerSpec,
  ContainerStdin,
  CreatedContainer,
  ExecProcess,
  ExecSpec,
  OutputSink,
  ResourceLimits,
  TerminalSize,
} from "./container-runtime.ts";
import { openContainerStdin } from "./container-stdin.ts";
import { REOPEN_LOG_MESSAGE, resizeMessage, sendControlMessage } from "./control-fifo.ts";
import { removeExecFiles } from "./exec/files.ts";
import { startExec } from "./exec/process.ts";
import { BundleRuntimes } from "./oci/bundle-runtimes.ts";
import type { RuntimeCatalog } from "./oci/catalog.ts";
import type { LowLevelRuntime } from "./oci/low-level-runtime.ts";
import { listProcesses, type ProcessTable } from "./process-list.ts";
import { runBundleOnce } from "./run-once.ts";
import { runtimeError } from "./runtime-errors.ts";
import { RuntimeTraces } from "./runtime-traces.ts";
import { readCgroupUsage } from "./stats/cgroup-usage.ts";
import type { ContainerUsage } from "./stats/container-usage.ts";
import { readNetworkUsage } from "./stats/network-usage.ts";
import { readExitFile, removeExitFile } from "./supervised-container.ts";
import { SupervisedContainers } from "./supervised-containers.ts";

const SIGKILL = 9;
const DEFAULT_CGROUP_PARENT = "/berth";

export interface ConmonRuntimeOptions {
  /** Below the exec root: the low-level runtime's state and conmon's sockets. */
  readonly stateDirectory: string;
  /** Below the exec root, on tmpfs if possible: a directory per container. */
  readonly bundleDirectory: string;
  /** Where conmon leaves exit codes. Must survive the engine; on disk also a reboot. */
  readonly exitDirectory: string;
  readonly catalog: RuntimeCatalog;
  /** Path of the program. */
  readonly conmon: string;
  /** Where the devices of CDI are looked up. */
  readonly devices: Pick<DeviceCatalog, "edits">;
  /** Absolute path in the cgroup tree; removed by `close` when no container is left in it. Default "/berth". */
  readonly cgroupParent?: string;
}

/** Containers under conmon and OCI runtimes, runc or crun. See container-runtime.ts for the guarantees. */
export class ConmonRuntime implements ContainerRuntime {
  readonly catalog: RuntimeCatalog;
  readonly #options: ConmonRuntimeOptions;
  readonly #bundles: BundleMaker;
  readonly #runtimes: BundleRuntimes;
  readonly #traces: RuntimeTraces;
  readonly #containers: SupervisedContainers;
  readonly #cgroupMoves = new CgroupMoves();

  constructor(options: ConmonRuntimeOptions) {
    const { catalog, stateDirectory, bundleDirectory, exitDirectory } = options;
    this.#options = options;
    this.catalog = catalog;
    for (const directory of [this.#socketDirectory, bundleDirectory, exitDirectory])
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#containers = new SupervisedContainers({
      exitDirectory,
      killLeftovers: (id) => this.#traces.killAll(id),
    });
    this.#bundles = new BundleMaker({
      cgroupParent: this.#cgroupParent,
      bundleDirectory,
      devices: options.devices,
      pidOf: (id) => this.#containers.pidOf(id),
    });
    this.#runtimes = new BundleRuntimes(catalog, stateDirectory);
    this.#traces = new RuntimeTraces({
      runtimes: this.#runtimes,
      bundleDirectory,
      exitDirectory,
      socketDirectory: this.#socketDirectory,
      cgroupParent: this.#cgroupParent,
      isCgroup2: this.#bundles.host.isCgroup2,
      cgroupsPath: (id) => this.#bundles.cgroupsPath(id),
    });
  }

  anticipate(): void {
    this.#cgroupMoves.anticipate();
  }

  async create(spec: ContainerSpec): Promise<CreatedContainer> {
    this.anticipate();
    const { id } = spec;
    if (this.#containers.find(id)) throw new ConflictError(`cannot create container "${id}": it exists already`);
    const files = this.#traces.files(id);
    removeExitFile(this.#options.exitDirectory, id);
    try {
      const runtime = await this.#prepare(spec, files);
      const pid = await launchConmon({
        conmon: this.#options.conmon,
        runtime,
        exitDirectory: this.#options.exitDirectory,
        socketDirectory: this.#socketDirectory,
        bundle: files,
        spec,
      });
      const record = {
        boot: bootId(),
        container: identify(pid),
        conmon: identify(this.#conmonPid(files)),
        rootfs: spec.rootfs,
      };
      files.writeRecord(record);
      this.#containers.add({ files, record, runtime });
      return { pid, conmonPid: record.conmon.pid };
    } catch (error) {
      await this.#traces.remove(id);
      throw this.#namingExecRoot(error);
    }
  }

  async start(id: string): Promise<void> {
    await this.#containers.get(id).runtime.start(id);
  }

  async kill(id: string, signal: number, all = false): Promise<void> {
    const container = this.#containers.find(id);
    if (!container || container.hasEnded) return;
    if (!all || signal === SIGKILL) container.kill(signal);
    if (!all) return;
    // One that is frozen, whoever did that, would not notice.
    if (signal === SIGKILL) this.#traces.killAll(id);
    else for (const pid of this.#traces.pids(id)) signalProcess(identify(pid), signal);
  }

  async pause(id: string): Promise<void> {
    const container = this.#containers.get(id);
    await container.whileItRuns(async () => {
      using freezer = this.#freezer(id, "pause");
      await freezer.freeze(container.dying);
      // A cgroup without processes freezes as well. Who stands still does not end: it need not be asked again.
      container.checkRuns();
    });
  }

  async resume(id: string): Promise<void> {
    this.#containers.get(id).checkRuns();
    using freezer = this.#freezer(id, "resume");
    freezer.thaw();
  }

  async update(id: string, limits: ResourceLimits): Promise<void> {
    const container = this.#containers.get(id);
    const { files } = container;
    const resources = updatedResources(limits, this.#bundles.host.hasSwapAccounting);
    writeFileSync(files.resources, JSON.stringify(resources), { mode: 0o600 });
    try {
      await container.whileItRuns(() => container.runtime.update(id, files.resources));
    } finally {
      rmSync(files.resources, { force: true });
    }
  }

  async remove(id: string): Promise<void> {
    const container = this.#containers.find(id);
    if (container && !container.hasEnded) {
      container.kill(SIGKILL);
      this.#traces.killAll(id);
      await container.ended;
    }
    this.#containers.delete(id);
    await this.#traces.remove(id);
  }

  async adopt(id: string): Promise<AdoptedState> {
    const files = this.#traces.files(id);
    const record = files.readRecord();
    const runtime = await this.#runtimes.of(files);
    // Its life first, then the exit file: see SupervisedContainer.
    const isSupervised = record && runtime && (record.boot ?? bootId()) === bootId() && isAlive(record.conmon);
    const exit = readExitFile(this.#options.exitDirectory, id, files);
    if (exit) return { kind: "exited", exit };
    if (!isSupervised) {
      this.#traces.killAll(id);
      return { kind: "lost" };
    }
    removeExecFiles(files.directory);
    rmSync(files.resources, { force: true });
    const container = this.#containers.add({ files, record, runtime });
    // The engine died between create and start. Nobody was told that it runs: let it end, which the exit tells.
    if (runtime.isWaiting(id)) container.kill(SIGKILL);
    using freezer = this.#traces.freezer(id);
    return { kind: "running", pid: record.container.pid, paused: freezer?.isFrozen() ?? false };
  }

  sweep(keep: ReadonlySet<string>): Promise<void> {
    return this.#traces.sweep(keep);
  }

  async resize(id: string, size: TerminalSize): Promise<void> {
    this.#containers.get(id);
    sendControlMessage(this.#traces.files(id).windowSize, resizeMessage(size));
  }

  /** Makes conmon write to a new file at the log's path; the rotation calls it after its renames. */
  reopenLog(id: string): boolean {
    return sendControlMessage(this.#traces.files(id).control, REOPEN_LOG_MESSAGE);
  }

  async openStdin(id: string): Promise<ContainerStdin> {
    return openContainerStdin(this.#containers.get(id).files.directory);
  }

  async exec(spec: ExecSpec): Promise<ExecProcess> {
    this.anticipate();
    const { files, runtime } = this.#containers.get(spec.containerId);
    try {
      return await startExec(spec, files, runtime, this.#bundles.host);
    } catch (error) {
      throw this.#namingExecRoot(error);
    }
  }

  usage(id: string): ContainerUsage {
    const { record } = this.#containers.get(id);
    return { ...readCgroupUsage(this.#traces.cgroup(id)), networks: readNetworkUsage(record.container.pid) };
  }

  async top(id: string, psArgs: readonly string[]): Promise<ProcessTable> {
    this.#containers.get(id);
    return await listProcesses(this.#traces.pids(id), psArgs);
  }

  async runOnce(spec: ContainerSpec, output: OutputSink, signal: AbortSignal): Promise<number> {
    this.anticipate();
    const { id } = spec;
    const files = this.#traces.files(id);
    const memory = spec.secretEnv?.length ? mountPrivateTmpfs(files.directory) : undefined;
    try {
      const runtime = await this.#prepare(spec, files);
      const killAll = (): void => this.#traces.killAll(id);
      return await runBundleOnce({ id, files, runtime, output, signal, killAll });
    } finally {
      await memory?.[Symbol.asyncDispose]();
      rmSync(files.directory, { recursive: true, force: true });
    }
  }

  onExit(listener: (exit: ContainerExit) => void): void {
    this.#containers.onExit(listener);
  }

  onOom(listener: (id: string) => void): void {
    this.#containers.onOom(listener);
  }

  async close(): Promise<void> {
    this.#containers.release();
    removeEmptyCgroup(this.#cgroupParent);
  }

  /** The bundle, with the runtime that the container has from now on. */
  async #prepare(spec: ContainerSpec, files: BundleFiles): Promise<LowLevelRuntime> {
    const program = await this.catalog.find(spec.runtime ?? "");
    try {
      this.#bundles.write(spec, files, program);
      return this.#runtimes.assign(program, files);
    } catch (error) {
      throw this.#namingExecRoot(error);
    }
  }

  /** What is written here lies in the exec root, a tmpfs mostly, which no prune makes room in. */
  #namingExecRoot(error: unknown): unknown {
    return fullElsewhere(`the exec root ${dirname(this.#options.exitDirectory)}`, error);
  }

  #freezer(id: string, action: "pause" | "resume"): Freezer {
    const freezer = this.#traces.freezer(id);
    if (!freezer) throw runtimeError(action, "the container has no cgroup with a freezer");
    return freezer;
  }

  get #cgroupParent(): string {
    return this.#options.cgroupParent ?? DEFAULT_CGROUP_PARENT;
  }

  get #socketDirectory(): string {
    return join(this.#options.stateDirectory, "sockets");
  }

  #conmonPid(files: BundleFiles): number {
    const pid = files.readConmonPid();
    if (pid === undefined) throw new SystemError(`conmon left no pid in "${files.conmonPidFile}"`);
    return pid;
  }
}
