import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fullElsewhere } from "#errors/disk-full.ts";
import { ConflictError, NotFoundError, SystemError } from "#errors/errors.ts";
import { mountPrivateTmpfs } from "#sys/mounts/private-tmpfs.ts";
import { bootId, isAlive } from "#sys/process-info.ts";
import { updatedResources } from "./bundle/resources.ts";
import { type BundleFiles, type BundleRecord, identify, signalProcess } from "./bundle-files.ts";
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
  RuntimeProgram,
  TerminalSize,
} from "./container-runtime.ts";
import { openContainerStdin } from "./container-stdin.ts";
import { REOPEN_LOG_MESSAGE, resizeMessage, sendControlMessage } from "./control-fifo.ts";
import { removeExecFiles } from "./exec/files.ts";
import { startExec } from "./exec/process.ts";
import { LowLevelRuntime } from "./low-level-runtime.ts";
import { listProcesses, type ProcessTable } from "./process-list.ts";
import { runBundleOnce } from "./run-once.ts";
import { runtimeError } from "./runtime-errors.ts";
import type { RuntimePrograms } from "./runtime-program.ts";
import { RuntimeTraces } from "./runtime-traces.ts";
import { readCgroupUsage } from "./stats/cgroup-usage.ts";
import type { ContainerUsage } from "./stats/container-usage.ts";
import { readNetworkUsage } from "./stats/network-usage.ts";
import { readExitFile, removeExitFile, SupervisedContainer } from "./supervised-container.ts";

const SIGKILL = 9;
const DEFAULT_CGROUP_PARENT = "/berth";

export interface ConmonRuntimeOptions {
  /** Below the exec root: the low-level runtime's state and conmon's sockets. */
  readonly stateDirectory: string;
  /** Below the exec root, on tmpfs if possible: a directory per container. */
  readonly bundleDirectory: string;
  /** Where conmon leaves exit codes. Must survive the engine; on disk also a reboot. */
  readonly exitDirectory: string;
  readonly programs: RuntimePrograms;
  /** Where the devices of CDI are looked up. */
  readonly devices: Pick<DeviceCatalog, "edits">;
  /** Absolute path in the cgroup tree; removed by `close` when no container is left in it. Default "/berth". */
  readonly cgroupParent?: string;
}

/** Containers under conmon and runc or crun. See container-runtime.ts for the guarantees. */
export class ConmonRuntime implements ContainerRuntime {
  readonly program: RuntimeProgram;
  readonly #options: ConmonRuntimeOptions;
  readonly #bundles: BundleMaker;
  readonly #runtime: LowLevelRuntime;
  readonly #traces: RuntimeTraces;
  readonly #cgroupMoves = new CgroupMoves();
  readonly #containers = new Map<string, SupervisedContainer>();
  readonly #listeners: ((exit: ContainerExit) => void)[] = [];
  readonly #oomListeners: ((id: string) => void)[] = [];

  constructor(options: ConmonRuntimeOptions) {
    this.#options = options;
    this.program = options.programs.runtime;
    this.#bundles = new BundleMaker({
      cgroupParent: this.#cgroupParent,
      bundleDirectory: options.bundleDirectory,
      devices: options.devices,
      supportsTime: options.programs.supportsTime,
      pidOf: (id) => this.#runningPid(id),
    });
    this.#runtime = new LowLevelRuntime(this.program, join(options.stateDirectory, "runtime"));
    this.#traces = new RuntimeTraces({
      runtime: this.#runtime,
      bundleDirectory: options.bundleDirectory,
      exitDirectory: options.exitDirectory,
      socketDirectory: this.#socketDirectory,
      cgroupParent: this.#cgroupParent,
      isCgroup2: this.#bundles.host.isCgroup2,
      cgroupsPath: (id) => this.#bundles.cgroupsPath(id),
    });
    for (const directory of [this.#socketDirectory, this.#runtime.root, options.bundleDirectory, options.exitDirectory])
      mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  anticipate(): void {
    this.#cgroupMoves.anticipate();
  }

  async create(spec: ContainerSpec): Promise<CreatedContainer> {
    this.anticipate();
    const { id } = spec;
    if (this.#containers.has(id)) throw new ConflictError(`cannot create container "${id}": it exists already`);
    const files = this.#traces.files(id);
    removeExitFile(this.#options.exitDirectory, id);
    try {
      this.#bundles.write(spec, files);
      const pid = await launchConmon({
        programs: this.#options.programs,
        runtimeRoot: this.#runtime.root,
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
      this.#supervise(id, files, record);
      return { pid, conmonPid: record.conmon.pid };
    } catch (error) {
      await this.#traces.remove(id);
      throw this.#namingExecRoot(error);
    }
  }

  async start(id: string): Promise<void> {
    this.#container(id);
    await this.#runtime.start(id);
  }

  async kill(id: string, signal: number, all = false): Promise<void> {
    const container = this.#containers.get(id);
    if (!container || container.hasEnded) return;
    if (!all || signal === SIGKILL) container.kill(signal);
    if (!all) return;
    // One that is frozen, whoever did that, would not notice.
    if (signal === SIGKILL) this.#traces.killAll(id);
    else for (const pid of this.#traces.pids(id)) signalProcess(identify(pid), signal);
  }

  async pause(id: string): Promise<void> {
    const container = this.#container(id);
    await container.whileItRuns(async () => {
      using freezer = this.#freezer(id, "pause");
      await freezer.freeze(container.dying);
      // A cgroup without processes freezes as well. Who stands still does not end: it need not be asked again.
      container.checkRuns();
    });
  }

  async resume(id: string): Promise<void> {
    this.#container(id).checkRuns();
    using freezer = this.#freezer(id, "resume");
    freezer.thaw();
  }

  async update(id: string, limits: ResourceLimits): Promise<void> {
    const container = this.#container(id);
    const { files } = container;
    const resources = updatedResources(limits, this.#bundles.host.hasSwapAccounting);
    writeFileSync(files.resources, JSON.stringify(resources), { mode: 0o600 });
    try {
      await container.whileItRuns(() => this.#runtime.update(id, files.resources));
    } finally {
      rmSync(files.resources, { force: true });
    }
  }

  async remove(id: string): Promise<void> {
    const container = this.#containers.get(id);
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
    // Its life first, then the exit file: see SupervisedContainer.
    const isSupervised = record !== undefined && (record.boot ?? bootId()) === bootId() && isAlive(record.conmon);
    const exit = readExitFile(this.#options.exitDirectory, id, files);
    if (exit) return { kind: "exited", exit };
    if (!record || !isSupervised) {
      this.#traces.killAll(id);
      return { kind: "lost" };
    }
    removeExecFiles(files.directory);
    rmSync(files.resources, { force: true });
    const container = this.#supervise(id, files, record);
    // The engine died between create and start. Nobody was told that it runs: let it end, which the exit tells.
    if (this.#runtime.isWaiting(id)) container.kill(SIGKILL);
    using freezer = this.#traces.freezer(id);
    return { kind: "running", pid: record.container.pid, paused: freezer?.isFrozen() ?? false };
  }

  sweep(keep: ReadonlySet<string>): Promise<void> {
    return this.#traces.sweep(keep);
  }

  async resize(id: string, size: TerminalSize): Promise<void> {
    this.#container(id);
    sendControlMessage(this.#traces.files(id).windowSize, resizeMessage(size));
  }

  /** Makes conmon write to a new file at the log's path; the rotation calls it after its renames. */
  reopenLog(id: string): boolean {
    return sendControlMessage(this.#traces.files(id).control, REOPEN_LOG_MESSAGE);
  }

  async openStdin(id: string): Promise<ContainerStdin> {
    return openContainerStdin(this.#container(id).files.directory);
  }

  async exec(spec: ExecSpec): Promise<ExecProcess> {
    this.anticipate();
    const { files } = this.#container(spec.containerId);
    try {
      return await startExec(spec, files, this.#runtime, this.#bundles.host);
    } catch (error) {
      throw this.#namingExecRoot(error);
    }
  }

  usage(id: string): ContainerUsage {
    const { record } = this.#container(id);
    return { ...readCgroupUsage(this.#traces.cgroup(id)), networks: readNetworkUsage(record.container.pid) };
  }

  async top(id: string, psArgs: readonly string[]): Promise<ProcessTable> {
    this.#container(id);
    return await listProcesses(this.#traces.pids(id), psArgs);
  }

  async runOnce(spec: ContainerSpec, output: OutputSink, signal: AbortSignal): Promise<number> {
    this.anticipate();
    const { id } = spec;
    const files = this.#traces.files(id);
    const memory = spec.secretEnv?.length ? mountPrivateTmpfs(files.directory) : undefined;
    try {
      this.#writeBundle(spec, files);
      const killAll = (): void => this.#traces.killAll(id);
      return await runBundleOnce({ id, files, runtime: this.#runtime, output, signal, killAll });
    } finally {
      await memory?.[Symbol.asyncDispose]();
      rmSync(files.directory, { recursive: true, force: true });
    }
  }

  onExit(listener: (exit: ContainerExit) => void): void {
    this.#listeners.push(listener);
  }

  onOom(listener: (id: string) => void): void {
    this.#oomListeners.push(listener);
  }

  async close(): Promise<void> {
    for (const container of this.#containers.values()) container.release();
    this.#containers.clear();
    removeEmptyCgroup(this.#cgroupParent);
  }

  #writeBundle(spec: ContainerSpec, files: BundleFiles): void {
    try {
      this.#bundles.write(spec, files);
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

  #container(id: string): SupervisedContainer {
    const container = this.#containers.get(id);
    if (!container) throw new NotFoundError(`No such container: ${id}`);
    return container;
  }

  #runningPid(id: string): number | undefined {
    const container = this.#containers.get(id);
    return container && !container.hasEnded ? container.record.container.pid : undefined;
  }

  #conmonPid(files: BundleFiles): number {
    const pid = files.readConmonPid();
    if (pid === undefined) throw new SystemError(`conmon left no pid in "${files.conmonPidFile}"`);
    return pid;
  }

  #supervise(id: string, files: BundleFiles, record: BundleRecord): SupervisedContainer {
    const container = new SupervisedContainer(id, files, record, {
      exitDirectory: this.#options.exitDirectory,
      killLeftovers: () => this.#traces.killAll(id),
      onOom: () => this.#tellOom(id),
    });
    this.#containers.set(id, container);
    void container.ended.then((exit) => {
      for (const listener of this.#listeners) listener(exit);
    });
    return container;
  }

  #tellOom(id: string): void {
    for (const listener of this.#oomListeners) listener(id);
  }
}
