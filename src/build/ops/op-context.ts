import type { StepRunner } from "#runtime/container-runtime.ts";
import type { Snapshotter } from "#snapshot/snapshotter.ts";
import type { FailedRoot } from "#spec/build-record.ts";
import type { Digest } from "#spec/digest.ts";
import type { Layer, LayerIngester } from "#store/layer-store.ts";
import type { BuildSecrets, SshAgents } from "../build-client.ts";
import type { BuildHost, StepLimits } from "../builder.ts";
import type { BuildDevices } from "../graph/step-devices.ts";
import type { BaseFacts } from "./base-facts.ts";
import type { CacheMounts } from "./run/cache-mounts.ts";
import type { Inflate } from "./trees/archive-file.ts";
import { RootTree, type XattrReader } from "./trees/root-tree.ts";

/** What steps are carried out with. */
export interface OpTools {
  readonly snapshotter: Snapshotter;
  readonly runtime: StepRunner;
  readonly layers: LayerIngester;
  readonly host: Pick<BuildHost, "openNetwork">;
  readonly readXattrs: XattrReader;
  /** For the archives of ADD. */
  readonly inflate: Inflate;
  readonly cacheMounts: CacheMounts;
  readonly devices: Pick<BuildDevices, "mountTargets">;
  /** Whether the kernel runs programs of a foreign architecture through an interpreter. */
  readonly hasEmulator: (architecture: string) => boolean;
  /** A tmpfs of its own, never swapped, that goes when it is disposed. */
  readonly openPrivateDirectory: () => Promise<PrivateDirectory>;
  /** Directory for heredoc scripts that a step mounts and archives that it unpacks. Exists; swept at start-up. */
  readonly scratchDirectory: string;
}

export interface PrivateDirectory extends AsyncDisposable {
  readonly path: string;
}

export interface OpOptions {
  readonly secrets: BuildSecrets | undefined;
  readonly sshAgents: SshAgents | undefined;
  /** Whether a cache mount is to be emptied first: once a build, with `--no-cache`. */
  readonly isFreshCache: (key: Digest) => boolean;
  readonly signal: AbortSignal;
  readonly extraHosts: readonly string[];
  readonly limits: StepLimits | undefined;
  readonly onOutput: (stream: 1 | 2, bytes: Uint8Array) => void;
  /** A command has failed: its root, in the store, with what the command was given. */
  readonly onFailedRoot?: (root: Omit<FailedRoot, "step">) => void;
}

/** What a step has made. */
export interface MadeLayer {
  readonly layer: Layer;
  /** Digest of the layer's files without their times, where the step's layers differ by nothing else from one run to the next. */
  readonly contentId?: Digest;
  /** COPY: what the layer took from the root below. */
  readonly facts?: BaseFacts;
}

/** Runs `work` on the root that `layers` make, read-only; on nothing when there are none. */
export async function withRoot<T>(
  tools: Pick<OpTools, "snapshotter" | "readXattrs">,
  layers: readonly Layer[],
  work: (root: RootTree | undefined) => Promise<T>,
): Promise<T> {
  if (layers.length === 0) return await work(undefined);
  await using view = await tools.snapshotter.view(layers);
  return await work(new RootTree(view.path, tools.readXattrs));
}
