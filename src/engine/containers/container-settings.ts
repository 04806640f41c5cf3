import type { Ulimit } from "#spec/docker-resources.ts";
import type { LogDefaults } from "./request/log-config.ts";

/** What the engine's own configuration says of containers that do not say it themselves. Ask for it at each use: it may change while the engine runs. */
export interface ContainerSettings {
  readonly logs: LogDefaults;
  /** Bytes of /dev/shm. */
  readonly shmSize: number;
  readonly ipcMode: "private" | "shareable";
  /** "" for what the host's cgroups ask for. */
  readonly cgroupnsMode: "" | "host" | "private";
  readonly ulimits: readonly Ulimit[];
  readonly init: boolean;
  /** Host path of the init program; "" to find one. */
  readonly initPath: string;
  readonly noNewPrivileges: boolean;
  /** "default", "unconfined", or a profile's text. */
  readonly seccompProfile: string;
  /** "" for the engine's own. */
  readonly cgroupParent: string;
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  /** Address that `host-gateway` means; "" for the default bridge's gateway. */
  readonly hostGateway: string;
}
