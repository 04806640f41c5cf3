/** The part of the OCI runtime-spec's config.json that Berth writes. https://github.com/opencontainers/runtime-spec/blob/main/config.md */
export interface RuntimeConfig {
  readonly ociVersion: string;
  readonly process: RuntimeProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname?: string;
  readonly mounts: readonly RuntimeMount[];
  readonly linux: RuntimeLinux;
  readonly hooks?: RuntimeHooks;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Programs of the host at points of a container's life. https://github.com/opencontainers/runtime-spec/blob/main/config.md#posix-platform-hooks */
export type RuntimeHooks = Readonly<Record<string, readonly RuntimeHook[]>>;

export interface RuntimeHook {
  /** Absolute. */
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

/** Also the document that `runc exec --process` reads. */
export interface RuntimeProcess {
  readonly terminal: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user: RuntimeUser;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: RuntimeCapabilities;
  readonly rlimits?: readonly RuntimeRlimit[];
  readonly noNewPrivileges: boolean;
  readonly apparmorProfile?: string;
  readonly oomScoreAdj?: number;
}

export interface RuntimeUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids?: readonly number[];
}

export interface RuntimeCapabilities {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
  readonly inheritable: readonly string[];
  readonly ambient: readonly string[];
}

export interface RuntimeRlimit {
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

export interface RuntimeMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface RuntimeLinux {
  readonly namespaces: readonly RuntimeNamespace[];
  readonly cgroupsPath: string;
  readonly resources: RuntimeResources;
  readonly devices?: readonly RuntimeDevice[];
  readonly seccomp?: RuntimeSeccomp;
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly rootfsPropagation?: string;
}

export interface RuntimeNamespace {
  readonly type: "mount" | "network" | "uts" | "pid" | "ipc" | "cgroup" | "time" | "user";
  readonly path?: string;
}

/** https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#default-devices */
export interface RuntimeDevice {
  readonly path: string;
  readonly type: "c" | "b" | "u" | "p";
  readonly major: number;
  readonly minor: number;
  /** Absent: 0666. */
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface RuntimeDeviceRule {
  readonly allow: boolean;
  readonly type?: "a" | "c" | "b";
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

export interface RuntimeResources {
  readonly devices: readonly RuntimeDeviceRule[];
  readonly memory?: {
    readonly limit?: number;
    readonly reservation?: number;
    readonly swap?: number;
    readonly swappiness?: number;
    readonly disableOOMKiller?: boolean;
  };
  readonly cpu?: {
    readonly shares?: number;
    readonly quota?: number;
    readonly period?: number;
    readonly cpus?: string;
    readonly mems?: string;
    readonly realtimePeriod?: number;
    readonly realtimeRuntime?: number;
  };
  readonly pids?: { readonly limit: number };
  readonly blockIO?: RuntimeBlockIo;
}

/** https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#block-io */
export interface RuntimeBlockIo {
  readonly weight?: number;
  readonly weightDevice?: readonly { readonly major: number; readonly minor: number; readonly weight: number }[];
  readonly throttleReadBpsDevice?: readonly RuntimeDeviceRate[];
  readonly throttleWriteBpsDevice?: readonly RuntimeDeviceRate[];
  readonly throttleReadIOPSDevice?: readonly RuntimeDeviceRate[];
  readonly throttleWriteIOPSDevice?: readonly RuntimeDeviceRate[];
}

export interface RuntimeDeviceRate {
  readonly major: number;
  readonly minor: number;
  readonly rate: number;
}

/** https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp */
export interface RuntimeSeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly RuntimeSeccompRule[];
}

export interface RuntimeSeccompRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly RuntimeSeccompArgument[];
}

export interface RuntimeSeccompArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: string;
}
