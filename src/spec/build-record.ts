import type { Digest } from "./digest.ts";

/**
 * What Berth remembers of a build: `GET /berth/builds/{ref}` answers it and the database keeps it as JSON. Our own document; the nearest relative is
 * BuildKit's BuildHistoryRecord. Times are milliseconds since the epoch.
 */
export interface BuildRecord {
  /** 25 characters, as buildx's build references end in. */
  readonly id: string;
  /** As buildx names builds: the context's last component, the Dockerfile when it is not `Dockerfile`, the target in parentheses. */
  readonly name: string;
  readonly status: BuildStatus;
  readonly created: number;
  readonly completed?: number;
  /** Directory or URL; `-` for standard input; "" when the client did not say. */
  readonly context: string;
  readonly dockerfile: string;
  readonly target: string;
  /** Several with commas between; "" for the engine's own. */
  readonly platform: string;
  readonly tags: readonly string[];
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly noCache: boolean;
  /** It stays when old records go. */
  readonly pinned?: boolean;
  readonly imageId?: string;
  readonly error?: string;
  readonly steps: readonly BuildStep[];
  /** Bytes of its log on disk. */
  readonly logSize: number;
  /** Of the step that failed: kept until the next build fails, or the build cache is pruned. */
  readonly failedRoot?: FailedRoot;
}

/** The root of a RUN that failed, as it left it, and what the command was given. */
export interface FailedRoot {
  /** `[2/3] RUN make`. */
  readonly step: string;
  /** diffIDs, bottom first; the last one is what the step had changed. */
  readonly layers: readonly Digest[];
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  /** Of its mounts those that outlive it: caches. */
  readonly binds: readonly { readonly source: string; readonly destination: string; readonly readonly: boolean }[];
  /** Options by path. */
  readonly tmpfs: Readonly<Record<string, string>>;
  /** Whole names of its CDI devices; absent in records of older engines. */
  readonly devices?: readonly string[];
  /** Paths of mounts that are gone: secrets, agents, files of other stages. */
  readonly gone: readonly string[];
}

/** `POST /berth/builds/debug?ref=…`, the latest failed build without ref: an image of the failed root, without a name. Whoever asked removes it. */
export interface DebugRoot {
  readonly imageId: string;
  readonly build: string;
  readonly root: FailedRoot;
}

export type BuildStatus = "running" | "completed" | "error" | "canceled";

/** How a step of a build ended. */
export type StepOutcome = "cached" | "ran" | "failed" | "canceled";

/** One step of a build. */
export interface BuildStep {
  /** `[2/3] WORKDIR /app`. */
  readonly name: string;
  readonly kind: "from" | "run" | "copy" | "workdir";
  readonly outcome: StepOutcome;
  /** Why it was not taken from the cache, most telling first; empty when it was, or nothing is known of a former build. */
  readonly reasons: readonly string[];
  readonly started: number;
  readonly completed: number;
  /** Absent for FROM, and for a step that failed before its key was known. */
  readonly key?: Digest;
  /** JSON of all that went into the key (build/solve/cache-key.ts); for FROM {@link FromInputs}; "" without a key. */
  readonly inputs: string;
  /** COPY: the source arguments as they are in the Dockerfile, to name files by. */
  readonly sources?: readonly string[];
  readonly diffId?: Digest;
  /** Bytes of the files of its layer. */
  readonly size?: number;
}

/** What a {@link BuildStep} of kind `from` has in `inputs`. */
export interface FromInputs {
  readonly reference: string;
  /** Manifest digest where it is known, else the image's id. */
  readonly digest: string;
}

/** A record without its steps: `GET /berth/builds`. */
export type BuildSummary = Omit<BuildRecord, "steps"> & {
  readonly stepCount: number;
  readonly cachedSteps: number;
};

/** `POST /build?berthplan=1`: what a build would do now. In the order of the Dockerfile's stages. */
export interface BuildPlan {
  readonly steps: readonly PlannedStep[];
}

export interface PlannedStep {
  readonly name: string;
  readonly kind: BuildStep["kind"];
  /** `run` also for what stands behind a step that would run: whether that one's outcome is new is not known before. */
  readonly outcome: "cached" | "run";
  readonly reasons: readonly string[];
  /** Milliseconds that it took when it last ran in a recorded build of the same; absent when it never did. */
  readonly lastDuration?: number;
}
