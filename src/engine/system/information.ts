/** Facts about the engine and its host that do not change while it runs, gathered once by the daemon. */
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
  readonly runtime: { readonly name: string; readonly path: string; readonly version: string };
  readonly conmonVersion: string;
  readonly registryMirrors: readonly string[];
  readonly insecureRegistries: readonly string[];
  /** For containers that name none. */
  readonly logDriver: string;
  /** Whether the engine logs all that it does. */
  readonly isDebug: boolean;
  readonly warnings: readonly string[];
}
