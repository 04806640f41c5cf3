import { ConflictError } from "#errors/errors.ts";
import type { NetworkSandbox } from "#network/network-driver.ts";
import type { Digest } from "#spec/digest.ts";
import type { ContainerConfig, EndpointSettings, HostConfig } from "#spec/docker-containers.ts";
import type { ContainerHealth } from "./supervise/health.ts";

/**
 * A container as Berth keeps it: an immutable value, replaced whole by each change (see ContainerStore.update). `config` is the
 * request merged over the image's defaults; `hostConfig` has its defaults filled in.
 */
export interface ContainerRecord {
  readonly id: string;
  /** Without Docker's leading slash. */
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly imageId: Digest;
  /** The image as the user named it. */
  readonly imageName: string;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** The networks that it is on, or is to be on from its next start, by name, and what was asked of each. */
  readonly endpointRequests: Readonly<Record<string, EndpointSettings>>;
  readonly mounts: readonly ContainerMount[];
  readonly state: ContainerState;
  /** Present while it has a network namespace of its own. */
  readonly sandbox?: NetworkSandbox;
}

/** A mount, resolved at create: volumes exist by then. */
export interface ContainerMount {
  readonly type: "bind" | "volume" | "tmpfs" | "image";
  /** Volume name, or "". */
  readonly name: string;
  /** Host path, an image as the user named it, or "" for tmpfs. */
  readonly source: string;
  readonly destination: string;
  readonly readonly: boolean;
  readonly propagation: string;
  /** As given after the second colon. */
  readonly mode: string;
  /** Copy what the image has there into an empty volume. */
  readonly copyUp: boolean;
  /** Made for this container alone: removed with it. */
  readonly anonymous: boolean;
  /** Mount options of a tmpfs. */
  readonly options?: string;
  /** What of a volume or image is mounted; all of it by default. */
  readonly subpath?: string;
  /** Of an image. */
  readonly imageId?: Digest;
  /** A bind whose source is made when it is missing: what `-v` does and `--mount` does not. */
  readonly makesSource?: boolean;
  /** What is mounted below the source stays away. */
  readonly nonRecursive?: boolean;
  /** A bind that shows what the engine mounts: it follows its host's mounts where those are shared, and is private elsewhere. */
  readonly showsEngine?: boolean;
  /** What is mounted below a read-only source stays writable. */
  readonly readonlyTop?: boolean;
}

export const PHASES = ["created", "running", "paused", "restarting", "removing", "exited", "dead"] as const;
export type Phase = (typeof PHASES)[number];

export interface ContainerState {
  readonly phase: Phase;
  readonly pid: number;
  readonly exitCode: number;
  readonly error: string;
  readonly oomKilled: boolean;
  /** Milliseconds since the epoch; 0: never. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly restartCount: number;
  /** Stopped by a user: `unless-stopped` and `always` leave it alone until the engine's (for always) or user's next start. */
  readonly stoppedByUser: boolean;
  /** Of a container with a health check, from its first start on. */
  readonly health?: ContainerHealth | undefined;
}

export const NEW_STATE: ContainerState = {
  phase: "created",
  pid: 0,
  exitCode: 0,
  error: "",
  oomKilled: false,
  startedAt: 0,
  finishedAt: 0,
  restartCount: 0,
  stoppedByUser: false,
};

/** Whether the container has a process. */
export function isRunning(record: ContainerRecord): boolean {
  return record.state.phase === "running" || record.state.phase === "paused";
}

/** Throws ConflictError between two runs of a container, where what needs a process cannot be done. */
export function checkNotRestarting({ id, state }: ContainerRecord): void {
  if (state.phase === "restarting")
    throw new ConflictError(`Container ${id} is restarting, wait until the container is running`);
}

/** The image that a container was made from, and those that it mounts. */
export function imagesOf({ imageId, mounts }: ContainerRecord): ReadonlySet<Digest> {
  return new Set([imageId, ...mounts.flatMap((mount) => mount.imageId ?? [])]);
}

/** The attributes that Docker puts on a container's events: its labels, image and name. */
export function eventAttributes(
  record: ContainerRecord,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return { ...record.config.Labels, image: record.imageName, name: record.name, ...extra };
}
