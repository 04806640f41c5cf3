import type { RuntimeCatalog } from "./oci/catalog.ts";
import type { ContainerUsage } from "./stats/container-usage.ts";

/**
 * Runs OCI bundles: the low-level runtime (runc or crun) under conmon. It knows nothing of images, networks or names: it takes a
 * `ContainerSpec` that says everything, and keeps its state under the engine's exec root.
 *
 * Lifecycle of a container's process: `create` (conmon and the runtime set everything up, the process waits) → `start` → exit.
 * The exit is told once through `onExit`, also for containers that ended while no engine ran (`adopt`).
 */
export interface ContainerRuntime extends ContainerLifecycle, ContainerRecovery, ContainerAccess, StepRunner {
  /** The runtimes that containers can have. */
  readonly catalog: RuntimeCatalog;
  /** A container or a process in one will be created in a moment: begins what that would have to wait for. Free, and safe to forget. */
  anticipate(): void;
  /** Lets go of everything; containers run on. */
  close(): Promise<void>;
}

/** From the making of a container to its end. */
export interface ContainerLifecycle {
  /**
   * Writes the bundle and creates the container. After it, `pid` exists and waits. Throws StartError as `start` does (runc looks for the
   * command here already), else SystemError with the runtime's words; InvalidParameterError for a runtime that is not known. After a failure nothing is left.
   */
  create(spec: ContainerSpec): Promise<CreatedContainer>;
  /**
   * Runs the user's command. Throws StartError (see start-error.ts) with exit code 126/127 and Docker's words when the command
   * cannot be run; the caller then calls `remove`.
   */
  start(id: string): Promise<void>;
  /** Sends a signal to the main process (or to all: SIGKILL then reaches a frozen container too). No error when it is gone. */
  kill(id: string, signal: number, all?: boolean): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Changes the limits of a running container. Throws SystemError with the runtime's words. */
  update(id: string, limits: ResourceLimits): Promise<void>;
  /** Releases cgroup, runtime state and bundle; kills what is left. Idempotent. */
  remove(id: string): Promise<void>;
  /** Called once for each container that exits. */
  onExit(listener: (exit: ContainerExit) => void): void;
  /** Called when the kernel has killed a process of a running container for want of memory: once a run. */
  onOom(listener: (id: string) => void): void;
}

/** What follows the end of an engine: the next one takes up its containers. */
export interface ContainerRecovery {
  /**
   * Takes up a container that an earlier engine created; resolves with the state that it is in now. One that was never started is
   * killed, and its exit told. After "exited" or "lost" the caller still calls `remove`.
   */
  adopt(id: string): Promise<AdoptedState>;
  /**
   * Start-up, before anything else: ends what an engine before left of every container that is not in `keep` (half-created ones, build
   * steps) and removes all traces of it.
   */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}

/** Ways into a running container. All throw NotFoundError when it does not run. */
export interface ContainerAccess {
  /** Changes the size of the container's terminal. */
  resize(id: string, size: TerminalSize): Promise<void>;
  /** Opens the container's standard input through conmon. */
  openStdin(id: string): Promise<ContainerStdin>;
  /** Runs a further process in the container. */
  exec(spec: ExecSpec): Promise<ExecProcess>;
  /** What the container has used since its start. */
  usage(id: string): ContainerUsage;
  /** Pids and ps columns, as `ps` prints them, of all processes of the container. */
  top(id: string, psArgs: readonly string[]): Promise<{ readonly titles: string[]; readonly processes: string[][] }>;
}

/** What a build needs of a runtime. */
export interface StepRunner {
  /** Runs a spec to its end without conmon, output to callbacks: a build step. Resolves with its exit code. */
  runOnce(spec: ContainerSpec, output: OutputSink, signal: AbortSignal): Promise<number>;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export interface ContainerSpec {
  /** 64 hex digits. */
  readonly id: string;
  /** Name of its OCI runtime; absent or "": the default one. */
  readonly runtime?: string;
  /** Absolute path of the mounted root. */
  readonly rootfs: string;
  readonly args: readonly string[];
  /** `NAME=value`, complete. */
  readonly env: readonly string[];
  /** More of them, whose values may not reach a disk: the bundle is made in a tmpfs. Only for runOnce. */
  readonly secretEnv?: readonly string[];
  readonly cwd: string;
  /** `user[:group]`, names or numbers, resolved against the root's /etc/passwd and /etc/group; "" is root. */
  readonly user: string;
  readonly groupAdd?: readonly string[];
  readonly hostname: string;
  /** NIS domain name; absent or "": the kernel's. */
  readonly domainname?: string;
  readonly terminal: boolean;
  readonly terminalSize?: TerminalSize;
  readonly openStdin: boolean;
  /** Close stdin when the first attached client's input ends. */
  readonly stdinOnce: boolean;
  /** Absolute path of the log file that conmon writes (k8s-file format). Directory exists. Unused by runOnce. */
  readonly logPath: string;
  readonly network:
    | { readonly kind: "path"; readonly netnsPath: string }
    | { readonly kind: "host" }
    | { readonly kind: "none" };
  readonly mounts: readonly BindMount[];
  readonly readonlyRootfs: boolean;
  readonly init: boolean;
  /** Host path of the program for that. Default: the first that is found. */
  readonly initPath?: string;
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  /** `seccomp=unconfined`, `no-new-privileges`, `apparmor=…`. */
  readonly securityOpt: readonly string[];
  /** Paths to hide, and to make read-only, instead of those of the security profile. */
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly resources: ResourceLimits;
  /** Bytes of /dev/shm. */
  readonly shmSize: number;
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly ulimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly devices?: readonly {
    readonly hostPath: string;
    readonly containerPath: string;
    readonly permissions: string;
  }[];
  /** Devices of the Container Device Interface: `vendor.com/class=name`. */
  readonly cdiDevices?: readonly string[];
  /** As the kernel writes them: `c 42:* rwm`. */
  readonly deviceCgroupRules?: readonly string[];
  readonly tmpfs?: Readonly<Record<string, string>>;
  readonly pidMode?: string;
  readonly ipcMode?: string;
  /** "host" or "private"; by default private where cgroup v2 rules and the container is not privileged. */
  readonly cgroupnsMode?: string;
  readonly oomScoreAdj?: number;
  /** "host": the host's name is the container's. */
  readonly utsMode?: string;
  /** The cgroup below which the container gets its own, instead of the engine's. */
  readonly cgroupParent?: string;
  /** Handed on to the OCI runtime. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A bind of a host path (volumes, /etc/hosts, user binds). */
export interface BindMount {
  readonly source: string;
  readonly destination: string;
  readonly readonly: boolean;
  /** "rprivate" by default. */
  readonly propagation?: string;
  /** Where the host does not share the source's mount the bind is private, instead of an error. */
  readonly privateUnlessShared?: boolean;
  /** Leave out what is mounted below the source. */
  readonly nonRecursive?: boolean;
  /** Read-only is the source's own mount alone, not what is mounted below it. */
  readonly readonlyTop?: boolean;
}

export interface ResourceLimits {
  /** Bytes; 0 or absent: no limit. */
  readonly memory?: number;
  readonly memorySwap?: number;
  readonly memoryReservation?: number;
  /** 1e9 is one CPU. */
  readonly nanoCpus?: number;
  /** Microseconds of CPU time per period; alternatives to nanoCpus. */
  readonly cpuQuota?: number;
  readonly cpuPeriod?: number;
  readonly cpuShares?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pidsLimit?: number;
  /** 0 to 100; cgroup v1 alone has it. */
  readonly memorySwappiness?: number;
  readonly oomKillDisable?: boolean;
  /** Microseconds. */
  readonly cpuRealtimePeriod?: number;
  readonly cpuRealtimeRuntime?: number;
  readonly blockIo?: BlockIoLimits;
}

/** Limits on block devices, which are named by their paths on the host. */
export interface BlockIoLimits {
  /** 10 to 1000; 0: the default. */
  readonly weight: number;
  readonly weightDevices: readonly { readonly path: string; readonly weight: number }[];
  readonly readBps: readonly DeviceRate[];
  readonly writeBps: readonly DeviceRate[];
  readonly readIops: readonly DeviceRate[];
  readonly writeIops: readonly DeviceRate[];
}

export interface DeviceRate {
  readonly path: string;
  /** Per second. */
  readonly rate: number;
}

export interface CreatedContainer {
  readonly pid: number;
  readonly conmonPid: number;
}

export type AdoptedState =
  | { readonly kind: "running"; readonly pid: number; readonly paused: boolean }
  | { readonly kind: "exited"; readonly exit: ContainerExit }
  | { readonly kind: "lost" };

export interface ContainerExit {
  readonly id: string;
  readonly exitCode: number;
  /** Milliseconds since the epoch. */
  readonly finishedAt: number;
  readonly oomKilled: boolean;
  /** conmon was killed: the exit code is not known (137 is given), and what was left of the container has been killed. */
  readonly lost?: boolean;
}

/** The way into a container's standard input. Writes keep back-pressure; `end` is end-of-file (only if stdinOnce). */
export interface ContainerStdin {
  readonly writable: NodeJS.WritableStream;
  close(): void;
}

export interface ExecSpec {
  readonly containerId: string;
  readonly rootfs: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  /** The container's further groups. */
  readonly groupAdd?: readonly string[];
  readonly terminal: boolean;
  readonly terminalSize?: TerminalSize;
  readonly openStdin: boolean;
  readonly privileged: boolean;
}

/** A running exec. `stdout` carries everything when it has a terminal. */
export interface ExecProcess {
  readonly pid: number;
  readonly stdin: NodeJS.WritableStream | undefined;
  readonly stdout: NodeJS.ReadableStream;
  readonly stderr: NodeJS.ReadableStream | undefined;
  /** 126/127 with Docker's words on the stream when the command could not run. */
  readonly exitCode: Promise<number>;
  /** Resolves when the command runs. Throws, in Docker's words, what kept it from that. */
  started(): Promise<void>;
  resize(size: TerminalSize): void;
  kill(signal: number): void;
  /** Kills the process and what it started in its process group. */
  killGroup(): void;
}

export interface OutputSink {
  stdout(bytes: Uint8Array): void;
  stderr(bytes: Uint8Array): void;
}
