/** What a container uses, as its cgroup and its network namespace count it since its start. Times in nanoseconds, sizes in bytes. */
export interface ContainerUsage {
  readonly cpu: CpuUsage;
  readonly memory: MemoryUsage;
  /** `limit` is 0 when there is none. */
  readonly pids: { readonly current: number; readonly limit: number };
  readonly blockIo: BlockIoUsage;
  /** By interface; empty in the host's own namespace and without a network. */
  readonly networks: Readonly<Record<string, NetworkUsage>>;
}

export interface CpuUsage {
  readonly total: number;
  readonly kernel: number;
  readonly user: number;
  /** Of each processor; cgroup v1 only. */
  readonly perCpu: readonly number[] | undefined;
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledTime: number;
}

export interface MemoryUsage {
  readonly usage: number;
  /** The highest usage so far; cgroup v1 only. */
  readonly maxUsage: number;
  /** How often the limit was hit. */
  readonly failures: number;
  /** The limit, or what the machine has when there is none. */
  readonly limit: number;
  /** memory.stat as it stands: its names differ between cgroup v1 and v2, and clients know both. */
  readonly details: Readonly<Record<string, number>>;
}

export interface BlockIoEntry {
  readonly major: number;
  readonly minor: number;
  /** `Read`, `Write`, `Total` … on cgroup v1; `read` and `write` on v2. */
  readonly operation: string;
  readonly value: number;
}

export interface BlockIoUsage {
  readonly bytes: readonly BlockIoEntry[];
  /** Operations; cgroup v1 only. */
  readonly operations: readonly BlockIoEntry[];
}

export interface NetworkUsage {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}
