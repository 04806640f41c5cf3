import type { SharedWork } from "#lib/shared-work.ts";
import type { Digest } from "#spec/digest.ts";
import type { BuildCacheStore } from "#store/build-cache.ts";
import type { Layer, LayerProvider } from "#store/layer-store.ts";
import type { BuildSecrets, SshAgents } from "../build-client.ts";
import type { StepLimits } from "../builder.ts";
import type { OpTools } from "../ops/op-context.ts";
import type { ImportedCache } from "../shared-cache/imported-cache.ts";
import type { RemoteLayer } from "../shared-cache/shared-cache.ts";
import type { BuildMemory } from "./build-memory.ts";
import type { ContextLoader } from "./context-loader.ts";
import type { BuildProgress } from "./progress.ts";
import type { RemoteSources } from "./remote-sources.ts";
import type { StepOutput } from "./step-output.ts";

/** The layer of a step that has been carried out, now or once. */
export interface SolvedLayer {
  readonly layer: Layer;
  /** Set while only a shared cache has it: `layer` is then its diffID and no more. Whoever needs its files asks local-layers.ts. */
  readonly remote?: RemoteLayer;
  /** What the keys of later steps see of it: its files without their times. */
  readonly contentId: Digest;
  /** When it was made, milliseconds since the epoch; undefined for layers of a base image. */
  readonly created: number | undefined;
}

export interface SolvedStage {
  /** The step that ran last, as `2/5` or `build 2/5`; undefined when all came from the cache. */
  readonly ran: string | undefined;
  /** In a plan: that step would run, so `layers` are not all and later steps cannot be looked up. */
  readonly isPending?: boolean;
  /** Bottom first, those of the base image included. */
  readonly layers: readonly SolvedLayer[];
}

export interface SolverTools {
  readonly cache: BuildCacheStore;
  readonly layers: LayerProvider;
  readonly ops: OpTools;
  /** Steps that builds of this engine carry out right now. */
  readonly inFlight: SharedWork<StepOutput, SolvedLayer>;
}

export interface SolveOptions {
  readonly noCache: boolean;
  /** Stages, by their index, whose steps are not looked up. */
  readonly noCacheStages: ReadonlySet<number>;
  /** Look nothing up and remember nothing. */
  readonly isTrial: boolean;
  /** Carry nothing out: report what a build would find cached and what it would run. */
  readonly isPlan: boolean;
  /** Caches of other machines, asked after the own one. */
  readonly imported: readonly ImportedCache[];
  readonly extraHosts: readonly string[];
  readonly limits: StepLimits | undefined;
  readonly contexts: ContextLoader;
  readonly remotes: RemoteSources;
  readonly secrets: BuildSecrets | undefined;
  readonly sshAgents: SshAgents | undefined;
  readonly progress: BuildProgress;
  /** Aborts with the client's, and by `stop`. */
  readonly signal: AbortSignal;
  /** Aborted when a step fails. */
  readonly stop: AbortController;
  /** Former builds of the same, and who wants to hear of this one. */
  readonly memory: BuildMemory | undefined;
}
