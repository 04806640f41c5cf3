import type { ContainerSettings } from "#engine/containers/container-settings.ts";
import type { AddressPoolBlock } from "#network/subnet-choice.ts";

/** Facts about the engine and its host, gathered by the daemon. What SIGHUP changes is told as it is now. */
export interface SystemInformation {
  /** Stable for a data root. */
  readonly id: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly kernelVersion: string;
  readonly architecture: string;
  readonly operatingSystem: string;
  /** "12"; "" when unknown. */
  readonly operatingSystemVersion: string;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  readonly hostname: string;
  readonly backingFilesystem: string;
  readonly cgroupVersion: "1" | "2";
  /** The default OCI runtime. */
  readonly runtime: { readonly name: string; readonly version: string };
  /** All OCI runtimes, by name. */
  readonly runtimes: ReadonlyMap<string, { readonly path: string; readonly args: readonly string[] }>;
  readonly conmonVersion: string;
  readonly registryMirrors: readonly string[];
  readonly insecureRegistries: readonly string[];
  readonly labels: readonly string[];
  /** Containers run on while no engine does. */
  readonly liveRestore: boolean;
  readonly isExperimental: boolean;
  readonly proxies: { readonly http: string; readonly https: string; readonly none: string };
  /** For containers that do not say it themselves. */
  readonly settings: ContainerSettings;
  readonly network: {
    /** Undefined: where Docker chooses subnets from. */
    readonly pools: readonly AddressPoolBlock[] | undefined;
    /** The engine lets this host forward packets. */
    readonly forward: boolean;
  };
  /** Whether the engine logs all that it does. */
  readonly isDebug: boolean;
  readonly warnings: readonly string[];
}
